// Blocks: drawn by slack-blocks-to-jsx, but for what it cannot draw.
import { createContext, useContext } from "react";
import { Message } from "slack-blocks-to-jsx";
import "slack-blocks-to-jsx/dist/style.css";
import { hooks } from "./emoji.jsx";
import { Input } from "./inputs.jsx";

// What every block needs to know: the theme, and who is who.
export const Surroundings = createContext({ theme: "light", data: {} });

// What the drawing library cannot draw is turned into what it can.
const drawable = (block) => {
  if (block.type !== "table") return block;
  const rows = block.rows.map((row) =>
    row.map((cell) => (cell.type === "raw_number" ? { type: "raw_text", text: cell.text ?? String(cell.value) } : cell)),
  );
  return { ...block, rows };
};

// The elements of a block that can be clicked, in the order in which the library draws them.
const clickable = (block) => {
  if (block.type === "section") return block.accessory ? [block.accessory] : [];
  if (block.type === "actions") return block.elements;
  if (block.type !== "context_actions") return [];
  return block.elements.flatMap((element) => {
    if (element.type !== "feedback_buttons") return [element];
    return [element.positive_button, element.negative_button].map((button) => ({
      type: element.type,
      action_id: element.action_id,
      text: button.text,
      value: button.value,
    }));
  });
};

export function Block({ block, onClick }) {
  const { theme, data } = useContext(Surroundings);
  // The library draws buttons but does not say which was clicked: find it by its place.
  const click = (event) => {
    const button = event.target.closest("button, a");
    const elements = clickable(block);
    if (!button || !elements.length) return;
    const all = [...event.currentTarget.querySelectorAll("button, a")];
    // A section may hold links besides its button.
    const element = elements[block.type === "section" ? all.length - 1 - all.indexOf(button) : all.indexOf(button)];
    if (element?.type !== "button" && element?.type !== "feedback_buttons" && element?.type !== "icon_button") return;
    event.preventDefault();
    if (element.url) window.open(element.url, "_blank", "noopener");
    onClick?.(element, block.block_id ?? "");
  };
  return (
    <div className={`block ${block.type}`} onClickCapture={click}>
      <Message blocks={[drawable(block)]} theme={theme} data={data} logo="" name="" hooks={hooks} withoutWrapper />
    </div>
  );
}

// Text with Slack's own marks, drawn as a block of it would be.
export const Mrkdwn = ({ text }) => <Block block={{ type: "section", text: { type: "mrkdwn", text } }} />;

// The blocks of a modal or of the Home tab, where some are filled in.
export const ViewBlocks = ({ blocks, values, errors, onValue, onClick }) =>
  blocks.map((block, index) =>
    block.type === "input" ? (
      <Input
        key={block.block_id}
        block={block}
        value={values[block.block_id]?.[block.element.action_id]}
        error={errors[block.block_id]}
        onValue={(value) => onValue(block, value)}
      />
    ) : (
      <Block key={block.block_id ?? index} block={block} onClick={onClick} />
    ),
  );
