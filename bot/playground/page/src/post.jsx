// One message: who, when, what; what hangs on it, and what can be done with it.
import { act } from "./api.js";
import { Block, Mrkdwn } from "./blocks.jsx";
import { Emoji, REACTIONS } from "./emoji.jsx";
import { Menu } from "./menu.jsx";

const clock = (ts) => new Date(Number(ts) * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

const authorOf = (message, { people, app }) => {
  if (message.user === "USLACKBOT") return { name: "Slackbot", kind: "slack", initials: "S" };
  if (message.user === app) return { name: people[app], kind: "bot", initials: "CT", isApp: true };
  const name = message.username ?? message.bot_profile?.name;
  if (name) return { name, kind: "other", initials: name.slice(0, 2), isApp: true };
  return { name: people[message.user] ?? message.user, kind: "person", initials: (people[message.user] ?? "?")[0] };
};

function Shared({ file }) {
  return (
    <figure className="file">
      <figcaption>
        <a href={file.url_private} target="_blank" rel="noopener">
          {file.title}
        </a>
      </figcaption>
      {file.mimetype === "image/png" && <img src={file.url_private} alt={file.alt_txt} />}
    </figure>
  );
}

// What older integrations write: a bar of colour, a title, text, fields, links.
function Attachment({ part }) {
  const title = part.title_link ? (
    <a href={part.title_link} target="_blank" rel="noopener">
      {part.title}
    </a>
  ) : (
    part.title
  );
  return (
    <div className="attachment" style={{ borderColor: part.color ? `#${part.color}` : undefined }}>
      {part.pretext && <Mrkdwn text={part.pretext} />}
      {part.title && <b className="title">{title}</b>}
      {part.text && <Mrkdwn text={part.text} />}
      {part.blocks?.map((block, index) => <Block key={index} block={block} />)}
      {part.fields && (
        <dl>
          {part.fields.map((field) => (
            <div key={field.title}>
              <dt>{field.title}</dt>
              <dd>
                <Mrkdwn text={field.value} />
              </dd>
            </div>
          ))}
        </dl>
      )}
      {part.actions?.map((action) => (
        <a className="button" key={action.id} href={action.url} target="_blank" rel="noopener">
          {action.text}
        </a>
      ))}
      {part.footer && <small>{part.footer}</small>}
    </div>
  );
}

function Toolbar({ channel, message, shortcuts, onProblem }) {
  const react = async (name) => onProblem(await act("react", { channel, ts: message.ts, name }));
  const use = async (callback_id) => onProblem(await act("shortcut", { channel, ts: message.ts, callback_id }));
  const items = shortcuts.map((its) => ({
    name: its.callback_id,
    title: its.name,
    note: its.description,
    onChoose: () => use(its.callback_id),
  }));
  return (
    <div className="toolbar">
      {REACTIONS.map((name) => (
        <button key={name} aria-label={`React with ${name}`} onClick={() => react(name)}>
          <Emoji name={name} />
        </button>
      ))}
      {items.length > 0 && (
        <Menu label="More actions" items={items}>
          ⋮
        </Menu>
      )}
    </div>
  );
}

export function Post({ channel, message, replies = [], workspace, onThread, onProblem }) {
  const author = authorOf(message, workspace);
  const click = async (element, block_id) => onProblem(await act("click", { channel, ts: message.ts, element, block_id }));
  const react = async (name) => onProblem(await act("react", { channel, ts: message.ts, name }));
  const shortcuts = workspace.shortcuts.filter((its) => its.type === "message");
  return (
    <article className={message.ephemeral ? "post ephemeral" : "post"} data-ts={message.ts}>
      <div className={`avatar ${author.kind}`} aria-hidden="true">
        {author.initials}
      </div>
      <div className="body">
        {message.ephemeral && <div className="whisper">Only visible to you</div>}
        <header>
          <b>{author.name}</b>
          {author.isApp && <span className="badge">APP</span>}
          <time>{clock(message.ts)}</time>
        </header>
        {message.blocks?.length
          ? message.blocks.map((block, index) => <Block key={index} block={block} onClick={click} />)
          : message.text && <Mrkdwn text={message.text} />}
        {message.attachments?.map((part, index) => <Attachment key={index} part={part} />)}
        {message.files?.map((file) => <Shared key={file.id} file={file} />)}
        {message.reactions?.length > 0 && (
          <div className="reactions">
            {message.reactions.map(({ name, users, count }) => (
              <button
                key={name}
                className={users.includes(workspace.me) ? "mine" : ""}
                aria-label={`${name}, ${count}: ${users.map((user) => workspace.people[user]).join(", ")}`}
                onClick={() => react(name)}
              >
                <Emoji name={name} /> {count}
              </button>
            ))}
          </div>
        )}
        {onThread && replies.length > 0 && (
          <button className="replies" onClick={() => onThread(message.ts)}>
            {replies.length} {replies.length === 1 ? "reply" : "replies"}
            <span>View thread</span>
          </button>
        )}
      </div>
      {!message.ephemeral && (
        <div className="tools">
          <Toolbar channel={channel} message={message} shortcuts={shortcuts} onProblem={onProblem} />
          {onThread && (
            <button className="toolbar-thread" aria-label="Reply in thread" onClick={() => onThread(message.ts)}>
              ↳
            </button>
          )}
        </div>
      )}
    </article>
  );
}
