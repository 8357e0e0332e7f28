/** Brings a call up to date by what changed: plain values in, plain values out. */
import type { CallChange, Snapshot } from "../wire.gen.ts";
import { later } from "./ring.ts";

/**
 * The call after a change; undefined when the change is no news. `"hole"`: the change follows one that is not known, so the
 * call is to be asked for.
 */
export function changed(
	known: Snapshot | undefined,
	{ from = 0, call }: CallChange,
): Snapshot | "hole" | undefined {
	if (known && !later(call, known)) return undefined;
	if (from === 0) return call;
	if (!known && call.state === "ended") return undefined;
	if (!known || known.epoch !== call.epoch || known.cseq < from) return "hole";
	const news = new Map(call.participants.map((p) => [p.user, p]));
	const participants = known.participants.map((p) => news.get(p.user) ?? p);
	for (const p of call.participants)
		if (!known.participants.some((k) => k.user === p.user)) participants.push(p);
	return { ...call, participants };
}
