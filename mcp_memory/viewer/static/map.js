// The map: places come from the server, cytoscape draws them; a click opens what it is.
"use strict";
(async () => {
  const box = document.getElementById("graph");
  const told = document.getElementById("told");
  if (!box || !window.cytoscape) return;
  await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
  const answer = await fetch(box.dataset.from);
  if (!answer.ok) { told.textContent = "The graph could not be read."; return; }
  const graph = await answer.json();
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const ink = dark ? "#e8e6e1" : "#1d1c1a", line = dark ? "#4a4e56" : "#cfcac0", paper = dark ? "#1e2024" : "#fff";
  const colours = { project: "#6b5ca5", session: "#3d85b8", file: "#7d8a6f", error: "#c05a4e", memory: "#d19a2a" };
  const size = (node) => ({ project: 34, memory: 16, session: 12 })[node.kind] || 6 + Math.min(10, node.weight || 0);
  const elements = [
    ...graph.nodes.map((n) => ({ data: { id: n.id, label: n.label, kind: n.kind, to: n.to || "", size: size(n), colour: colours[n.kind] }, position: { x: n.x, y: n.y } })),
    ...graph.edges.map(([source, target], place) => ({ data: { id: "edge" + place, source, target } })),
  ];
  const drawn = cytoscape({
    container: box, elements, layout: { name: "preset" }, pixelRatio: 1, textureOnViewport: true,
    hideEdgesOnViewport: graph.nodes.length > 1500, hideLabelsOnViewport: true, minZoom: 0.02, maxZoom: 4,
    style: [
      { selector: "node", style: { width: "data(size)", height: "data(size)", "background-color": "data(colour)", label: "data(label)", color: ink, "text-outline-width": 2, "text-outline-color": paper, "font-size": 9, "min-zoomed-font-size": 8, "text-max-width": 120, "text-wrap": "ellipsis" } },
      { selector: 'node[kind = "project"]', style: { "font-size": 20, "font-weight": 600, "min-zoomed-font-size": 7, "text-valign": "top" } },
      { selector: "edge", style: { width: 1, "line-color": line, "curve-style": "haystack" } },
      { selector: ".far", style: { opacity: 0.12 } },
      { selector: ".mute", style: { "text-opacity": 0 } },
      { selector: ".near", style: { "border-width": 3, "border-color": ink, "text-opacity": 1 } },
    ],
  });
  // Zoomed out, as on a phone, every label would be too small to be read: of what is seen the
  // weightiest that have room beside each other are named, in a size that can.
  const weight = (node) => (node.data("kind") === "project" ? 1e6 : 0) + node.data("size") * 10 + node.degree(false);
  let named = drawn.collection(), muted = false;
  const name = () => {
    const zoom = drawn.zoom(), small = zoom * 9 < 8, seen = drawn.extent(), taken = [];
    const free = (at) => taken.every((other) => Math.abs(other.x - at.x) > 110 || Math.abs(other.y - at.y) > 18);
    const inside = ({ x, y }) => x >= seen.x1 && x <= seen.x2 && y >= seen.y1 && y <= seen.y2;
    const chosen = !small ? [] : drawn.nodes().filter((node) => inside(node.position())).toArray()
      .sort((a, b) => weight(b) - weight(a)).slice(0, 200).filter((node) => {
        const at = node.renderedPosition();
        return taken.length < box.clientWidth / 40 && free(at) && taken.push(at);
      });
    drawn.batch(() => {
      named.removeStyle().toggleClass("mute", small);
      if (small !== muted) drawn.nodes().toggleClass("mute", small);
      muted = small;
      named = drawn.collection(chosen).removeClass("mute");
      named.style({ "font-size": 11 / zoom, "min-zoomed-font-size": 0, "text-max-width": 100 / zoom, "text-outline-width": 2 / zoom, "z-index": 9 });
    });
    box.dataset.named = String(named.length);
  };
  let waiting = 0;
  drawn.on("viewport", () => { clearTimeout(waiting); waiting = setTimeout(name, 80); });
  drawn.fit(undefined, 24);
  name();
  box.dataset.drawn = String(graph.nodes.length);
  told.textContent = `${graph.nodes.length} nodes, ${graph.edges.length} ties` + (graph.left ? `; ${graph.left} older sessions left out` : "") + ". A click shows what is tied; a second one opens it.";
  let last = "";
  drawn.on("tap", "node", (event) => {
    const node = event.target;
    if (last === node.id() && node.data("to")) { location.assign(node.data("to")); return; }
    last = node.id();
    drawn.elements().removeClass("near").addClass("far");
    node.closedNeighborhood().removeClass("far");
    node.addClass("near");
    told.textContent = `${node.data("kind")}: ${node.data("label")}`;
  });
  drawn.on("tap", (event) => { if (event.target === drawn) { last = ""; drawn.elements().removeClass("far near"); } });
  document.getElementById("find")?.addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().trim();
    drawn.elements().removeClass("far near");
    if (!words) return;
    const found = drawn.nodes().filter((node) => node.data("label").toLowerCase().includes(words));
    drawn.elements().addClass("far");
    found.removeClass("far").addClass("near");
    told.textContent = `${found.length} found`;
    if (found.length) drawn.animate({ fit: { eles: found, padding: 60 }, duration: 200 });
  });
})();
