/**
 * The part with calls: the SDK's, with what hosts them, the popup's, and what is drawn of them. Loaded on a ring, beside an open
 * panel, or for a stored leg. All of it comes at once, so that a click works even where the network has gone meanwhile.
 */
import "./common.ts";
import { CallStore } from "../../sdk/calls/calls.ts";
import type { MakeCalls } from "../../sdk/calls/context.ts";
import { openHost } from "../../sdk/leg/host.ts";
import { calls } from "../strings/en.calls.ts";
import { addEnglish } from "../strings/index.ts";

addEnglish(calls);

export { Calling } from "../calls/calling.ts";
export { SharedCalls } from "../calls/shared.ts";
export { drawCalls } from "../views/calls.ts";
export const makeCalls: MakeCalls = (o) => new CallStore({ ...o, load: async () => ({ openHost }) });
