// Where one types: messages, commands, the app's name; and the menu of shortcuts.
import { useState } from "react";
import { act } from "./api.js";
import { Menu } from "./menu.jsx";

// What to offer for what is typed so far: commands to try, or the app's name.
const hintsFor = (text, { commands, samples, people, app }, inThread) => {
  if (/(^|\s)@\w*$/.test(text)) {
    return [{ name: "mention", lead: `@${people[app]}`, text: text.replace(/@\w*$/, `@${people[app]} `) }];
  }
  if (inThread || !text.startsWith("/") || text.length > 20) return [];
  return commands.flatMap(({ command, description }) => [
    { name: command, lead: command, note: description, text: `${command} ` },
    ...samples.map((sample) => ({ name: sample.name, lead: command, bold: sample.name, note: sample.story, text: sample.command })),
  ]);
};

export function Composer({ channel, threadTs, workspace, onProblem }) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const send = async () => {
    if (!text.trim() || busy) return;
    setBusy(true);
    const errors = await act("type", { channel, text, thread_ts: threadTs });
    if (!errors[""]) setText("");
    onProblem(errors);
    setBusy(false);
  };
  const use = async (callback_id) => onProblem(await act("shortcut", { channel, callback_id }));
  const items = workspace.shortcuts
    .filter((its) => its.type === "global")
    .map((its) => ({ name: its.callback_id, title: its.name, note: its.description, onChoose: () => use(its.callback_id) }));
  const hints = hintsFor(text, workspace, Boolean(threadTs));
  return (
    <div className="composer">
      {hints.length > 0 && (
        <ul className="hints" role="listbox" aria-label="To try">
          {hints.map((hint) => (
            <li key={hint.name} role="option" aria-selected="false" onClick={() => setText(hint.text)}>
              <code>{hint.lead}</code> {hint.bold && <b>{hint.bold}</b>} {hint.note && <span>{hint.note}</span>}
            </li>
          ))}
        </ul>
      )}
      {!threadTs && items.length > 0 && (
        <Menu label="Shortcuts" className="plus" items={items} title="Shortcuts">
          +
        </Menu>
      )}
      <textarea
        aria-label={threadTs ? "Reply" : "Message"}
        placeholder={threadTs ? `Reply, or ask @${workspace.people[workspace.app]}` : "Type / for commands to try"}
        rows={1}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.shiftKey) {
            event.preventDefault();
            send();
          }
        }}
      />
      <button className="send" disabled={!text.trim() || busy} onClick={send}>
        Send
      </button>
    </div>
  );
}
