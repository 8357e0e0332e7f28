/** The rings that show in this tab: begun when worth it, ended by what the call has become, or by their own watchdog. */
import type { Emitter } from "../emitter.ts";
import type { ClientEvents, Ring, RingEnd } from "../types.ts";
import type { Snapshot } from "../wire.gen.ts";
import { participant, ring, type TimedSnapshot, watchdogMs, worthRinging } from "./ring.ts";

export interface RingOptions {
	events: Emitter<ClientEvents>;
	me: () => string;
	tab: () => string;
	device: () => string;
	held: (call: string) => TimedSnapshot | undefined;
	/** I am in a call already. */
	busy: () => boolean;
	/** Time is up: look again. */
	look: () => void;
	/** This tab is the first of mine to ring. */
	alerting: (call: string) => void;
}

export class Rings {
	readonly #o: RingOptions;
	readonly #shown = new Map<string, { ring: Ring; watchdog: ReturnType<typeof setTimeout> }>();
	readonly #silenced = new Set<string>();

	constructor(o: RingOptions) {
		this.#o = o;
	}

	list(): Ring[] {
		return [...this.#shown.values()].map((r) => r.ring);
	}

	/** False when it does not ring, or was silenced before. */
	silence(call: string): boolean {
		if (!this.#shown.has(call) || this.#silenced.has(call)) return false;
		this.#silenced.add(call);
		return true;
	}

	/** What rings goes on with newer facts, or ends. */
	settle(): void {
		for (const [id, { ring: shown }] of this.#shown) {
			const held = this.#o.held(id);
			const verdict = held && ring(held, this.#o.me(), this.#o.tab(), performance.now());
			if (!held || !verdict) this.#end(shown, { reason: "expired" });
			else if (verdict.rings) this.#show(held.snapshot, verdict);
			else this.#end(shown, verdict);
		}
	}

	/** Only when synced: what is known then is the present. */
	begin(held: TimedSnapshot): void {
		const call = held.snapshot;
		if (this.#shown.has(call.id)) return;
		const now = performance.now();
		const verdict = ring(held, this.#o.me(), this.#o.tab(), now);
		if (!verdict.rings || !worthRinging(verdict.until, now)) return;
		const shown = this.#show(call, verdict);
		if (participant(call, this.#o.me())?.state === "invited") this.#o.alerting(call.id);
		this.#o.events.emit("call:incoming", shown);
	}

	close(): void {
		for (const r of this.#shown.values()) clearTimeout(r.watchdog);
	}

	#show(call: Snapshot, { from, until }: { from: Ring["from"]; until: number }): Ring {
		clearTimeout(this.#shown.get(call.id)?.watchdog);
		const { id, media } = call;
		const silenced = this.#silenced.has(id);
		const shown: Ring = { call, id, media, from, until, waiting: this.#o.busy(), silenced };
		// The tab's own end of a ring, should the server's never come.
		const wait = Math.max(0, until + watchdogMs - performance.now());
		this.#shown.set(id, { ring: shown, watchdog: setTimeout(this.#o.look, wait + 1) });
		return shown;
	}

	#end(shown: Ring, { reason, where }: Pick<RingEnd, "reason" | "where">): void {
		clearTimeout(this.#shown.get(shown.id)?.watchdog);
		this.#shown.delete(shown.id);
		this.#silenced.delete(shown.id);
		const sameDevice = where?.device === this.#o.device();
		this.#o.events.emit("call:ringend", { ring: shown, reason, sameDevice, ...(where && { where }) });
	}
}
