import type { Environment } from "../environment.ts";
import type { CallsAvailable } from "../types.ts";

/** Whether this page can host a call, and if not why not. */
export function available({ secure, webrtc }: Pick<Environment, "secure" | "webrtc">): CallsAvailable {
	if (!secure) return { ok: false, reason: "calls_need_https" };
	return webrtc ? { ok: true } : { ok: false, reason: "unsupported" };
}
