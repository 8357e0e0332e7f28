/**
 * JSON-RPC 2.0 over a transport that carries text: the WebSocket, or a call's data channel. Results are handed over in the
 * order in which they arrive, each before the next frame is read.
 */
import { Refusal, Unanswered } from "./errors.ts";
import type { ClientNotes, Frame, Requests } from "./wire.gen.ts";

export type Method = keyof Requests;
export type Params<M extends Method> = Requests[M]["params"];
export type Result<M extends Method> = Requests[M]["result"];
export type Outcome<T> = { ok: true; result: T } | { ok: false; error: Error };

export class Rpc {
	readonly #write: (text: string) => void;
	readonly #notified: (method: string, params: unknown) => void;
	readonly #open = new Map<number, (outcome: Outcome<unknown>) => void>();
	#last = 0;
	#closed = false;

	/** `write` may throw when the transport is gone; `notified` receives the server's notifications. */
	constructor(write: (text: string) => void, notified: (method: string, params: unknown) => void) {
		this.#write = write;
		this.#notified = notified;
	}

	/** A message of the transport. It may have several frames, one a line; what is no frame is passed over. */
	receive(text: string): void {
		for (const line of text.split("\n")) {
			const frame = parse(line);
			if (!frame) continue;
			if (frame.method !== undefined) {
				this.#notified(frame.method, frame.params);
				continue;
			}
			const done = frame.id === undefined ? undefined : this.#open.get(frame.id);
			if (!done || frame.id === undefined) continue;
			this.#open.delete(frame.id);
			done(
				frame.error
					? { ok: false, error: Refusal.of(frame.error) }
					: { ok: true, result: frame.result ?? {} },
			);
		}
	}

	/**
	 * Sends a request. `done` is called once, at the frame that answers or when the transport closes. Returns a function after
	 * which it is not called.
	 */
	ask<M extends Method>(method: M, params: Params<M>, done: (o: Outcome<Result<M>>) => void): () => void {
		const id = ++this.#last;
		const fail = () => done({ ok: false, error: new Unanswered(method) });
		if (this.#closed) {
			fail();
			return () => {};
		}
		this.#open.set(id, done as (o: Outcome<unknown>) => void);
		try {
			this.#write(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
		} catch {
			if (this.#open.delete(id)) fail();
		}
		return () => this.#open.delete(id);
	}

	request<M extends Method>(method: M, params: Params<M>, signal?: AbortSignal): Promise<Result<M>> {
		return new Promise((resolve, reject) => {
			if (signal?.aborted) return reject(signal.reason);
			const forget = this.ask(method, params, (o) => {
				signal?.removeEventListener("abort", abort);
				if (o.ok) resolve(o.result);
				else reject(o.error);
			});
			const abort = () => {
				forget();
				reject(signal?.reason);
			};
			signal?.addEventListener("abort", abort, { once: true });
		});
	}

	/** Sends a notification, which has no answer. It is lost when the transport is gone. */
	notify<N extends keyof ClientNotes>(method: N, params: ClientNotes[N]): void {
		if (this.#closed) return;
		try {
			this.#write(JSON.stringify({ jsonrpc: "2.0", method, params }));
		} catch {
			// Who owns the transport hears of its end.
		}
	}

	/** The transport is gone: all open requests fail with `Unanswered`. */
	close(): void {
		this.#closed = true;
		const open = [...this.#open.values()];
		this.#open.clear();
		for (const done of open) done({ ok: false, error: new Unanswered("the connection closed") });
	}
}

function parse(line: string): Frame | undefined {
	try {
		const frame: unknown = JSON.parse(line);
		if (typeof frame !== "object" || frame === null || Array.isArray(frame)) return undefined;
		if ("method" in frame && typeof frame.method !== "string") return undefined;
		return frame as Frame;
	} catch {
		// An empty line, or no JSON.
	}
	return undefined;
}
