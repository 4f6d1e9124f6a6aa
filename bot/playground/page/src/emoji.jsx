// Emoji, drawn by ourselves: a bare machine has no font for them.
const DOT = "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Z";
const GLASS = "M7 2a5 5 0 1 1-2.9 9.1l-2.4 2.6-1-1 2.5-2.5A5 5 0 0 1 7 2Zm0 1.6a3.4 3.4 0 1 0 0 6.8 3.4 3.4 0 0 0 0-6.8Z";
const EYES = "M4.6 3C6.5 3 8 5.2 8 8s-1.5 5-3.4 5S1.2 10.8 1.2 8 2.7 3 4.6 3Zm6.8 0C13.3 3 14.8 5.2 14.8 8s-1.5 5-3.4 5S8 10.8 8 8s1.5-5 3.4-5ZM4.9 6.2a1.4 1.8 0 1 0 .01 0Zm6.8 0a1.4 1.8 0 1 0 .01 0Z";
const TICK = "M6.3 13 1.5 8.2l1.7-1.7 3.1 3.1 6.5-6.5 1.7 1.7Z";
const THUMB = "M2 7h3v7H2Zm4 0 3-5.5c1.6 0 2 1.1 1.7 2.3L10.2 6H14c.8 0 1.3.7 1.1 1.5l-1.3 5.3c-.2.7-.8 1.2-1.5 1.2H6Z";

// name: colour, a drawing or a mark in a disc
const EMOJI = {
  large_red_circle: { color: "#e01e5a" },
  red_circle: { color: "#e01e5a" },
  large_green_circle: { color: "#2eb67d" },
  large_yellow_circle: { color: "#ecb22e" },
  white_circle: { color: "#b9bec4" },
  x: { color: "#e01e5a", mark: "×" },
  grey_question: { color: "#8d9298", mark: "?" },
  warning: { color: "#ecb22e", mark: "!" },
  white_check_mark: { color: "#2eb67d", mark: "✓" },
  hourglass_flowing_sand: { color: "#8d9298", mark: "…" },
  mag: { color: "#1d9bd1", path: GLASS },
  eyes: { color: "#8d9298", path: EYES },
  heavy_check_mark: { color: "#2eb67d", path: TICK },
  "+1": { color: "#ecb22e", path: THUMB },
};

export const REACTIONS = ["mag", "eyes", "+1"];

export function Emoji({ name }) {
  const { color, mark, path } = EMOJI[name] ?? { color: "#8d9298", mark: name[0] };
  const label = name.replaceAll("_", " ");
  if (mark)
    return (
      <span className="emoji" role="img" aria-label={label} style={{ background: color }}>
        {mark}
      </span>
    );
  return (
    <svg className="emoji" role="img" aria-label={label} viewBox="0 0 16 16" fill={color} fillRule="evenodd">
      <path d={path ?? DOT} />
    </svg>
  );
}

// An unknown name is no emoji: in "14:02:11" the library would swallow ":02:".
export const hooks = { emoji: ({ name }) => (EMOJI[name] ? <Emoji name={name} /> : `:${name}:`) };
