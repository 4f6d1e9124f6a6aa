// What the page says to the server, and what it hears from it.
import { useEffect, useState } from "react";

// Does one thing; returns what is wrong by field ("" for the whole), {} when all is well.
export async function act(what, asked) {
  const headers = { "Content-Type": "application/json" };
  try {
    const answer = await fetch(`/do/${what}`, { method: "POST", headers, body: JSON.stringify(asked) });
    if (answer.ok) return (await answer.json()).errors;
  } catch {
    // said below
  }
  return { "": "The playground does not answer. Is it still running?" };
}

export function useWorkspace() {
  const [state, setState] = useState(null);
  useEffect(() => {
    let open = true;
    const load = async () => {
      const fresh = await (await fetch("/state")).json();
      if (open) setState(fresh);
    };
    const changes = new EventSource("/changes");
    changes.onmessage = load;
    changes.onopen = load;
    load();
    return () => {
      open = false;
      changes.close();
    };
  }, []);
  return state;
}
