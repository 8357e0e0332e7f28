/** The part that sounds, shows and prepares calls. Loaded on a ring, beside an open panel, or for a stored leg. */
export { Preview } from "../preview.ts";
export { Ringer } from "../ringer.ts";
export { callStyles } from "../styles/call.ts";
export { devicesView } from "../views/devices.ts";
export { ringsView } from "../views/ring.ts";
export { stageView } from "../views/stage.ts";
