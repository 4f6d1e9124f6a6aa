// Inputs of a modal: one component per kind of element, its value as Slack sends it.
import { useContext, useId } from "react";
import { Surroundings } from "./blocks.jsx";

const local = (seconds) => {
  const moment = new Date(seconds * 1000);
  return new Date(moment - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};
const chosen = (options, value) => options.find((option) => option.value === value) ?? null;

function Line({ element, value, onValue, ...rest }) {
  const Field = element.multiline ? "textarea" : "input";
  return (
    <Field
      {...rest}
      value={value.value ?? ""}
      maxLength={element.max_length}
      placeholder={element.placeholder?.text}
      onChange={(event) => onValue({ value: event.target.value || null })}
    />
  );
}

function Select({ element, value, onValue, ...rest }) {
  return (
    <select
      {...rest}
      value={value.selected_option?.value ?? ""}
      onChange={(event) => onValue({ selected_option: chosen(element.options, event.target.value) })}
    >
      <option value="">{element.placeholder?.text ?? "Select an option"}</option>
      {element.options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.text.text}
        </option>
      ))}
    </select>
  );
}

function Conversation({ value, onValue, ...rest }) {
  const { data } = useContext(Surroundings);
  return (
    <select
      {...rest}
      value={value.selected_conversation ?? ""}
      onChange={(event) => onValue({ selected_conversation: event.target.value || null })}
    >
      <option value="">Select a conversation</option>
      {data.channels.map((channel) => (
        <option key={channel.id} value={channel.id}>
          # {channel.name}
        </option>
      ))}
    </select>
  );
}

function Moment({ value, onValue, ...rest }) {
  const seconds = value.selected_date_time;
  const change = (text) => onValue({ selected_date_time: text ? Math.floor(new Date(text) / 1000) : null });
  return (
    <input
      {...rest}
      type="datetime-local"
      value={seconds ? local(seconds) : ""}
      onChange={(event) => change(event.target.value)}
    />
  );
}

function Checkboxes({ element, value, onValue, id, ...rest }) {
  const selected = value.selected_options ?? [];
  const isOn = (option) => selected.some((other) => other.value === option.value);
  const toggle = (option) =>
    onValue({ selected_options: element.options.filter((other) => isOn(other) !== (other.value === option.value)) });
  return element.options.map((option, index) => (
    <label className="choice" key={option.value}>
      <input {...rest} id={index ? undefined : id} type="checkbox" checked={isOn(option)} onChange={() => toggle(option)} />
      {option.text.text}
    </label>
  ));
}

function Radio({ element, value, onValue, id, ...rest }) {
  return element.options.map((option, index) => (
    <label className="choice" key={option.value}>
      <input
        {...rest}
        id={index ? undefined : id}
        name={id}
        type="radio"
        checked={value.selected_option?.value === option.value}
        onChange={() => onValue({ selected_option: option })}
      />
      {option.text.text}
    </label>
  ));
}

const KINDS = {
  plain_text_input: Line,
  static_select: Select,
  conversations_select: Conversation,
  channels_select: Conversation,
  datetimepicker: Moment,
  checkboxes: Checkboxes,
  radio_buttons: Radio,
};

// What an element holds before anybody touched it.
export const initial = (element, channel) => {
  const { type } = element;
  if (type === "plain_text_input") return { type, value: element.initial_value ?? null };
  if (type === "checkboxes") return { type, selected_options: element.initial_options ?? [] };
  if (type === "datetimepicker") return { type, selected_date_time: element.initial_date_time ?? null };
  if (type === "conversations_select") {
    const current = element.default_to_current_conversation ? channel : null;
    return { type, selected_conversation: element.initial_conversation ?? current };
  }
  return { type, selected_option: element.initial_option ?? null };
};

export const isEmpty = ({ type, ...value }) =>
  Object.values(value).every((held) => held === null || held === undefined || held.length === 0);

export function Input({ block, value, error, onValue }) {
  const id = useId();
  const Kind = KINDS[block.element.type];
  if (!Kind) return <p className="field">The playground cannot draw a {block.element.type}.</p>;
  const about = [block.hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
  return (
    <div className={error ? "field wrong" : "field"}>
      <label htmlFor={id}>
        {block.label.text} {block.optional && <small>(optional)</small>}
      </label>
      <Kind id={id} element={block.element} value={value} onValue={onValue} aria-describedby={about} aria-invalid={Boolean(error)} />
      {error && (
        <p className="error" id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
      {block.hint && (
        <p className="hint" id={`${id}-hint`}>
          {block.hint.text}
        </p>
      )}
    </div>
  );
}
