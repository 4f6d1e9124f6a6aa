// The playground's page: draws a Slack-like channel from the server's state and sends what is typed and clicked.
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import { Message as Blocks } from "slack-blocks-to-jsx";
import "slack-blocks-to-jsx/dist/style.css";
import "./page.css";

const post = (path, body) =>
  fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

// What the drawing library cannot draw is turned into what it can.
const drawable = (block) => {
  if (block.type !== "table") return block;
  const rows = block.rows.map((row) =>
    row.map((cell) => (cell.type === "raw_number" ? { type: "raw_text", text: cell.text ?? String(cell.value) } : cell)),
  );
  return { ...block, rows };
};

// Drawn by ourselves: a bare machine has no emoji font.
const EMOJI = {
  large_red_circle: ["#e01e5a", ""],
  large_green_circle: ["#2eb67d", ""],
  large_yellow_circle: ["#ecb22e", ""],
  white_circle: ["#b9bec4", ""],
  x: ["#e01e5a", "×"],
  grey_question: ["#8d9298", "?"],
  warning: ["#ecb22e", "!"],
  white_check_mark: ["#2eb67d", "✓"],
  hourglass_flowing_sand: ["#8d9298", "…"],
  mag: ["#1264a3", "?"],
};
// An unknown name is no emoji: in "14:02:11" the library would swallow ":02:".
const hooks = {
  emoji: ({ name }) => {
    if (!EMOJI[name]) return `:${name}:`;
    const [color, mark] = EMOJI[name];
    return (
      <span className="emoji" role="img" aria-label={name.replaceAll("_", " ")} style={{ background: color }}>
        {mark}
      </span>
    );
  },
};

function useTheme() {
  const preferred = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const [theme, setTheme] = useState(localStorage.getItem("theme") ?? preferred);
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return [
    theme,
    () => {
      const next = theme === "dark" ? "light" : "dark";
      localStorage.setItem("theme", next);
      setTheme(next);
    },
  ];
}

function useWorkspace() {
  const [state, setState] = useState(null);
  useEffect(() => {
    let open = true;
    const load = async () => {
      const fresh = await (await fetch("/state")).json();
      if (open) setState(fresh);
    };
    load();
    const changes = new EventSource("/changes");
    changes.onmessage = load;
    changes.onopen = load;
    return () => {
      open = false;
      changes.close();
    };
  }, []);
  return state;
}

function Block({ block, theme, onClick }) {
  // The library draws buttons but does not say which was clicked: find it by its place in the row.
  const click = (event) => {
    const button = event.target.closest("button, a");
    if (!button || block.type !== "actions") return;
    const all = [...event.currentTarget.querySelectorAll("button, a")];
    const element = block.elements[all.indexOf(button)];
    if (!element) return;
    event.preventDefault();
    if (element.url) window.open(element.url, "_blank", "noopener");
    onClick(element, block.block_id);
  };
  return (
    <div className={`block ${block.type}`} onClickCapture={click}>
      <Blocks blocks={[drawable(block)]} theme={theme} logo="" name="" hooks={hooks} withoutWrapper />
    </div>
  );
}

const clock = (ts) => new Date(Number(ts) * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

function Post({ channel, message, theme, replies = [], onThread }) {
  const bot = Boolean(message.bot_id) || message.ephemeral;
  const click = (element, blockId) =>
    post("/click", { channel, ts: message.ts, element: { ...element, text: element.text }, block_id: blockId });
  return (
    <article className={message.ephemeral ? "post ephemeral" : "post"} data-ts={message.ts}>
      <div className={bot ? "avatar bot" : "avatar"} aria-hidden="true">
        {bot ? "CT" : "A"}
      </div>
      <div className="body">
        {message.ephemeral && <div className="whisper">Only visible to you</div>}
        <header>
          <b>{bot ? "Compare Traces" : "alice"}</b>
          {bot && <span className="badge">APP</span>}
          <time>{clock(message.ts)}</time>
        </header>
        {message.blocks?.length ? (
          message.blocks.map((block, index) => <Block key={index} block={block} theme={theme} onClick={click} />)
        ) : (
          <p>{message.text}</p>
        )}
        {message.files?.map((file) => <Shared key={file.id} file={file} />)}
        {replies.length > 0 && (
          <button className="replies" onClick={() => onThread(message.ts)}>
            {replies.length} {replies.length === 1 ? "reply" : "replies"}
            <span>View thread</span>
          </button>
        )}
      </div>
    </article>
  );
}

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

function Composer({ channel, samples }) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const send = async () => {
    if (!text.trim() || busy) return;
    setBusy(true);
    await post("/type", { channel, text });
    setText("");
    setBusy(false);
  };
  const hints = text.startsWith("/") && text.length < 20 ? samples : [];
  return (
    <div className="composer">
      {hints.length > 0 && (
        <ul className="hints" role="listbox" aria-label="Commands to try">
          {hints.map((sample) => (
            <li key={sample.name} role="option" aria-selected="false" onClick={() => setText(sample.command)}>
              <code>{sample.command.slice(0, 15)}</code> <b>{sample.name}</b> <span>{sample.story}</span>
            </li>
          ))}
        </ul>
      )}
      <textarea
        aria-label="Message"
        placeholder="Type / for commands to try"
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

function Stream({ children, count }) {
  const end = useRef(null);
  useEffect(() => {
    end.current?.scrollIntoView({ block: "end" });
  }, [count]);
  return (
    <div className="stream">
      {children}
      <div ref={end} />
    </div>
  );
}

function App() {
  const state = useWorkspace();
  const [theme, toggleTheme] = useTheme();
  const [chosen, choose] = useState(null);
  const [thread, openThread] = useState(null);
  if (!state) return <main className="loading">Loading …</main>;
  const channel = chosen ?? state.channels[0].id;
  const messages = state.messages[channel] ?? [];
  const roots = messages.filter((m) => !m.thread_ts || m.thread_ts === m.ts);
  const repliesOf = (ts) => messages.filter((m) => m.thread_ts === ts && m.ts !== ts);
  const root = thread && messages.find((m) => m.ts === thread);
  const name = state.channels.find((c) => c.id === channel).name;
  return (
    <div className={root ? "app with-thread" : "app"}>
      <nav>
        <h1>playground</h1>
        {state.channels.map((c) => (
          <button
            key={c.id}
            className={c.id === channel ? "current" : ""}
            onClick={() => {
              choose(c.id);
              openThread(null);
            }}
          >
            # {c.name}
          </button>
        ))}
        <button className="theme" onClick={toggleTheme}>
          {theme === "dark" ? "Light" : "Dark"} mode
        </button>
      </nav>
      <main>
        <h2># {name}</h2>
        <Stream count={roots.length}>
          {roots.map((m) => (
            <Post key={m.ts} channel={channel} message={m} theme={theme} replies={repliesOf(m.ts)} onThread={openThread} />
          ))}
        </Stream>
        <Composer channel={channel} samples={state.samples} />
      </main>
      {root && (
        <aside aria-label="Thread">
          <h2>
            Thread
            <button aria-label="Close thread" onClick={() => openThread(null)}>
              ×
            </button>
          </h2>
          <div className="stream">
            <Post channel={channel} message={root} theme={theme} onThread={() => {}} />
            {repliesOf(thread).map((m) => (
              <Post key={m.ts} channel={channel} message={m} theme={theme} onThread={() => {}} />
            ))}
          </div>
        </aside>
      )}
    </div>
  );
}

createRoot(document.getElementById("root")).render(<App />);
