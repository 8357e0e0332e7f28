/** The part that sounds, shows and prepares calls. Loaded on a ring, near a call button, or for a stored leg. */
export { Ringer } from "./ringer.ts";
export { devicesClosed, devicesView } from "./views/devices.ts";
export { ringsView } from "./views/ring.ts";
export { stageView } from "./views/stage.ts";
