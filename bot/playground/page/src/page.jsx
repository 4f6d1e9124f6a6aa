// The playground's page: a small Slack. Draws the server's state and sends what is typed and clicked.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import { act, useWorkspace } from "./api.js";
import { Surroundings } from "./blocks.jsx";
import { Composer } from "./composer.jsx";
import { Home } from "./home.jsx";
import { Menu } from "./menu.jsx";
import { Modal } from "./modal.jsx";
import "./page.css";
import { Post } from "./post.jsx";

const HOME = "home";

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

// Follows the newest message, as long as the reader has not scrolled away from the end.
function Stream({ children, follow }) {
  const box = useRef(null);
  const atEnd = useRef(true);
  useEffect(() => {
    if (atEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [follow]);
  return (
    <div
      className="stream"
      ref={box}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        atEnd.current = scrollHeight - scrollTop - clientHeight < 40;
      }}
    >
      {children}
    </div>
  );
}

function Sidebar({ workspace, place, onGo, theme, onTheme }) {
  const entry = (id, label) => (
    <button key={id} className={id === place ? "current" : ""} onClick={() => onGo(id)}>
      {label}
    </button>
  );
  return (
    <nav>
      <h1>playground</h1>
      {workspace.channels.map((its) => entry(its.id, `# ${its.name}`))}
      {workspace.has_home && <h3>Apps</h3>}
      {workspace.has_home && entry(HOME, workspace.people[workspace.app])}
      <button className="theme" onClick={onTheme}>
        {theme === "dark" ? "Light" : "Dark"} mode
      </button>
    </nav>
  );
}

function Channel({ channel, workspace, onThread, onProblem }) {
  const messages = workspace.messages[channel.id] ?? [];
  const roots = messages.filter((m) => !m.thread_ts || m.thread_ts === m.ts);
  const alerts = workspace.alerts.map((its) => ({
    ...its,
    onChoose: async () => onProblem(await act("alert", { channel: channel.id, name: its.name })),
  }));
  return (
    <main>
      <h2>
        # {channel.name}
        <Menu label="Post an alert" className="alerts" items={alerts}>
          Post an alert
        </Menu>
      </h2>
      <Stream follow={roots.length}>
        {roots.map((message) => (
          <Post
            key={message.ts}
            channel={channel.id}
            message={message}
            replies={messages.filter((m) => m.thread_ts === message.ts && m.ts !== message.ts)}
            workspace={workspace}
            onThread={onThread}
            onProblem={onProblem}
          />
        ))}
        {!channel.invited && <p className="note">Compare Traces is not in this channel. Type /invite to let it in.</p>}
      </Stream>
      <Composer channel={channel.id} workspace={workspace} onProblem={onProblem} />
    </main>
  );
}

function Thread({ channel, ts, workspace, onClose, onProblem }) {
  const messages = workspace.messages[channel] ?? [];
  const shown = messages.filter((m) => m.ts === ts || m.thread_ts === ts);
  return (
    <aside aria-label="Thread">
      <h2>
        Thread
        <button className="icon" aria-label="Close thread" onClick={onClose}>
          ×
        </button>
      </h2>
      <div className="stream">
        {shown.map((message) => (
          <Post key={message.ts} channel={channel} message={message} workspace={workspace} onProblem={onProblem} />
        ))}
      </div>
      <Composer channel={channel} threadTs={ts} workspace={workspace} onProblem={onProblem} />
    </aside>
  );
}

function App() {
  const workspace = useWorkspace();
  const [theme, toggleTheme] = useTheme();
  const [chosen, choose] = useState(null);
  const [thread, openThread] = useState(null);
  const [problem, setProblem] = useState("");
  const channels = workspace?.channels;
  const surroundings = useMemo(() => {
    const users = Object.entries(workspace?.people ?? {}).map(([id, name]) => ({ id, name }));
    return { theme, data: { users, channels: channels ?? [], user_groups: [] } };
  }, [theme, workspace]);
  if (!workspace) return <main className="loading">Loading …</main>;
  const place = chosen ?? channels[0].id;
  const channel = channels.find((its) => its.id === place) ?? channels[0];
  const go = (id) => {
    choose(id);
    openThread(null);
  };
  const say = (errors) => setProblem(errors[""] ?? "");
  const open = place !== HOME && thread && workspace.messages[channel.id].some((m) => m.ts === thread);
  return (
    <Surroundings.Provider value={surroundings}>
      <div className={open ? "app with-thread" : "app"}>
        <Sidebar workspace={workspace} place={place} onGo={go} theme={theme} onTheme={toggleTheme} />
        {place === HOME ? (
          <Home view={workspace.home} name={workspace.people[workspace.app]} onProblem={say} />
        ) : (
          <Channel key={channel.id} channel={channel} workspace={workspace} onThread={openThread} onProblem={say} />
        )}
        {open && (
          <Thread
            key={thread}
            channel={channel.id}
            ts={thread}
            workspace={workspace}
            onClose={() => openThread(null)}
            onProblem={say}
          />
        )}
        {workspace.view && <Modal key={workspace.view.id} view={workspace.view} channel={channel.id} />}
        {problem && (
          <p className="problem" role="alert">
            {problem}
            <button className="icon" aria-label="Dismiss" onClick={() => setProblem("")}>
              ×
            </button>
          </p>
        )}
      </div>
    </Surroundings.Provider>
  );
}

createRoot(document.getElementById("root")).render(<App />);
