// The app's Home tab.
import { useEffect } from "react";
import { act } from "./api.js";
import { ViewBlocks } from "./blocks.jsx";

export function Home({ view, name, onProblem }) {
  useEffect(() => {
    act("home", {}).then(onProblem);
  }, []);
  const click = async (element, block_id) =>
    onProblem(await act("click", { view_id: view.id, element, block_id, values: {} }));
  return (
    <main>
      <h2>{name}</h2>
      <div className="stream home">
        {view ? <ViewBlocks blocks={view.blocks} values={{}} errors={{}} onClick={click} /> : <p>Nothing here yet.</p>}
      </div>
    </main>
  );
}
