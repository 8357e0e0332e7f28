/**
 * The connection as a state machine without a socket or a clock: {@link next} takes what happened and gives the new
 * state; `TabSocket` does what the state says.
 */
import type { Connection, StopReason } from "./types.ts";
import {
	CloseBadToken,
	CloseForbidden,
	CloseRate,
	CloseShutdown,
	CloseSignedOut,
	CloseTokenExpired,
	CloseTooOld,
} from "./wire.gen.ts";

export type ConnectionInput =
	| { type: "connect" }
	| { type: "disconnect" }
	/** The wait is over, or the network is back, or the page was looked at. */
	| { type: "retry" }
	| { type: "welcome"; resumed: boolean }
	| { type: "synced" }
	/** No socket, or the socket closed. `random` is 0 ≤ x < 1. `urgent`: a call waits for it. */
	| { type: "lost"; code: number; reason: string; random: number; urgent?: boolean };

/** How a socket that never opened, or a hello without an answer, is reported. */
export const codeLost = 1006;

export function next(state: Connection, m: ConnectionInput): Connection {
	switch (m.type) {
		case "connect":
			return state.state === "idle" || state.state === "stopped" ? connecting(1) : state;
		case "disconnect":
			return { state: "idle" };
		case "retry":
			return state.state === "waiting" ? connecting(state.attempt + 1) : state;
		case "welcome":
			return state.state === "connecting"
				? { state: "syncing", attempt: state.attempt, resumed: m.resumed }
				: state;
		case "synced":
			return state.state === "syncing" ? { state: "online" } : state;
		case "lost":
			return lost(state, m);
	}
}

const connecting = (attempt: number): Connection => ({ state: "connecting", attempt });

/** "4000 to 4499: come back. 4500 to 4999: stop, coming back will not help." (docs/PROTOCOL.md) All other codes come from the network and mean to come back. */
function lost(state: Connection, m: ConnectionInput & { type: "lost" }): Connection {
	if (state.state === "idle" || state.state === "stopped" || state.state === "waiting") return state;
	if (m.code >= 4500 && m.code <= 4999) return { state: "stopped", code: m.code, why: why(m.code) };
	// After having been online the attempts are counted anew.
	const attempt = state.state === "online" ? 0 : state.attempt;
	if (m.code === CloseTokenExpired && attempt === 0) return connecting(1);
	// Media is to be back within 3 s of a server's restart: who is in a call does not back off beyond the first step, and comes
	// back before all the others.
	let delayMs = jitter(m.urgent ? 0 : attempt, m.random);
	if (m.code === CloseShutdown && !m.urgent) delayMs += spread(m.reason);
	if (m.code === CloseRate) delayMs += 2000;
	return { state: "waiting", attempt, delayMs, code: m.code };
}

/** Full jitter between 0.5 s and a bound that doubles from 1 s to 20 s. */
export function jitter(attempt: number, random: number): number {
	const bound = Math.min(20_000, 1000 * 2 ** Math.min(attempt, 10));
	return Math.round(500 + random * (bound - 500));
}

/** A server that goes down says in the close reason how long to stay away; never more than a minute. */
function spread(reason: string): number {
	const ms = Number.parseInt(reason, 10);
	return ms > 0 ? Math.min(ms, 60_000) : 0;
}

function why(code: number): StopReason {
	switch (code) {
		case CloseBadToken:
			return "bad_token";
		case CloseSignedOut:
			return "signed_out";
		case CloseTooOld:
			return "too_old";
		case CloseForbidden:
			return "forbidden_origin";
		default:
			return "refused";
	}
}
