// A button that opens a list of things to do.
import { useEffect, useRef, useState } from "react";

export function Menu({ label, children, items, className = "", title }) {
  const [open, setOpen] = useState(false);
  const root = useRef(null);
  useEffect(() => {
    if (!open) return undefined;
    const away = (event) => {
      if (event.key === "Escape" || (event.type === "mousedown" && !root.current?.contains(event.target))) setOpen(false);
    };
    document.addEventListener("mousedown", away);
    document.addEventListener("keydown", away);
    return () => {
      document.removeEventListener("mousedown", away);
      document.removeEventListener("keydown", away);
    };
  }, [open]);
  return (
    <div className={`menu ${className}`} ref={root} data-open={open}>
      <button type="button" aria-label={label} aria-haspopup="menu" aria-expanded={open} onClick={() => setOpen(!open)}>
        {children}
      </button>
      {open && (
        <ul role="menu" aria-label={label}>
          {title && <li className="title">{title}</li>}
          {items.map((item) => (
            <li key={item.name} role="none">
              <button
                type="button"
                role="menuitem"
                onClick={() => {
                  setOpen(false);
                  item.onChoose();
                }}
              >
                {item.title}
                {item.note && <small>{item.note}</small>}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
