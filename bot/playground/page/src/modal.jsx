// A modal of the app: drawn, filled in, sent off; what is wrong stands at its field.
import { useEffect, useRef, useState } from "react";
import { act } from "./api.js";
import { ViewBlocks } from "./blocks.jsx";
import { initial, isEmpty } from "./inputs.jsx";

const REQUIRED = "Please complete this required field.";

const filledIn = (view, values, channel) =>
  Object.fromEntries(
    view.blocks
      .filter((block) => block.type === "input")
      .map(({ block_id, element }) => [
        block_id,
        { [element.action_id]: values[block_id]?.[element.action_id] ?? initial(element, channel) },
      ]),
  );

export function Modal({ view, channel }) {
  const [typed, setTyped] = useState({});
  const [errors, setErrors] = useState({});
  const [busy, setBusy] = useState(false);
  const dialog = useRef(null);
  const values = filledIn(view, typed, channel);
  useEffect(() => {
    const first = (what) => dialog.current?.querySelector(what);
    (first("input, textarea, select") ?? first("button"))?.focus();
  }, [view.id]);
  const close = (everything) => act("close", { view_id: view.id, everything });
  const change = (block, value) => {
    const held = { ...values[block.block_id][block.element.action_id], ...value };
    setTyped({ ...typed, [block.block_id]: { [block.element.action_id]: held } });
    setErrors({ ...errors, [block.block_id]: undefined });
  };
  const submit = async (event) => {
    event.preventDefault();
    const missing = view.blocks
      .filter((block) => block.type === "input" && !block.optional)
      .filter((block) => isEmpty(values[block.block_id][block.element.action_id]));
    if (missing.length) {
      setErrors(Object.fromEntries(missing.map((block) => [block.block_id, REQUIRED])));
      return;
    }
    setBusy(true);
    setErrors(await act("submit", { view_id: view.id, values }));
    setBusy(false);
  };
  const click = async (element, block_id) => {
    setErrors(await act("click", { view_id: view.id, element, block_id, values }));
  };
  return (
    <div className="veil" onMouseDown={(event) => event.target === event.currentTarget && close(true)}>
      <form
        ref={dialog}
        className="modal"
        role="dialog"
        aria-modal="true"
        aria-label={view.title.text}
        noValidate
        onSubmit={submit}
        onKeyDown={(event) => event.key === "Escape" && close(true)}
      >
        <header>
          <h2>{view.title.text}</h2>
          <button type="button" className="icon" aria-label="Close" onClick={() => close(true)}>
            ×
          </button>
        </header>
        <div className="blocks">
          {errors[""] && (
            <p className="error" role="alert">
              {errors[""]}
            </p>
          )}
          <ViewBlocks blocks={view.blocks} values={values} errors={errors} onValue={change} onClick={click} />
        </div>
        <footer>
          <button type="button" onClick={() => close(false)}>
            {view.close?.text ?? "Close"}
          </button>
          {view.submit && (
            <button className="primary" disabled={busy}>
              {view.submit.text}
            </button>
          )}
        </footer>
      </form>
    </div>
  );
}
