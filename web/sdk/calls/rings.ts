/** The rings that are shown in this tab. Each ends by what the call has become, or by a timer of its own. */
import type { Emitter } from "../emitter.ts";
import type { ClientEvents, Ring, RingEnd } from "../types.ts";
import type { Who } from "../who.ts";
import type { Snapshot } from "../wire.gen.ts";
import { participant, ring, type TimedSnapshot, watchdogMs, worthRinging } from "./ring.ts";

export interface RingOptions {
	events: Emitter<ClientEvents>;
	me: () => string;
	/** As which tab of which device this page speaks. */
	who: () => Who;
	newest: (call: string) => TimedSnapshot | undefined;
	/** This user is in another call. */
	busy: () => boolean;
	/** A ring's time is up: the rings are to be derived again. */
	timeIsUp: () => void;
	/** No tab of this user has shown this ring yet. */
	firstToRing: (call: string) => void;
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

	/** Silences a ring. False when the call does not ring here, or was silenced before. */
	silence(call: string): boolean {
		if (!this.#shown.has(call) || this.#silenced.has(call)) return false;
		this.#silenced.add(call);
		return true;
	}

	/** Each ring goes on with the newest snapshot, or ends. */
	settle(): void {
		for (const [id, { ring: shown }] of this.#shown) {
			const known = this.#o.newest(id);
			const verdict = known && ring(known, this.#o.me(), this.#o.who().tab, performance.now());
			if (!known || !verdict) this.#end(shown, { reason: "expired" });
			else if (verdict.rings) this.#show(known.snapshot, verdict);
			else this.#end(shown, verdict);
		}
	}

	/** Begins a ring if the call rings. Called only when synced: what is known then is the present. */
	begin(known: TimedSnapshot): void {
		const call = known.snapshot;
		if (this.#shown.has(call.id)) return;
		const now = performance.now();
		const verdict = ring(known, this.#o.me(), this.#o.who().tab, now);
		if (!verdict.rings || !worthRinging(verdict.until, now)) return;
		const shown = this.#show(call, verdict);
		if (participant(call, this.#o.me())?.state === "invited") this.#o.firstToRing(call.id);
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
		// The tab ends the ring itself when it never hears of the end.
		const wait = Math.max(0, until + watchdogMs - performance.now());
		this.#shown.set(id, { ring: shown, watchdog: setTimeout(this.#o.timeIsUp, wait + 1) });
		return shown;
	}

	#end(shown: Ring, { reason, where }: Pick<RingEnd, "reason" | "where">): void {
		clearTimeout(this.#shown.get(shown.id)?.watchdog);
		this.#shown.delete(shown.id);
		this.#silenced.delete(shown.id);
		const sameDevice = where?.device === this.#o.who().device;
		this.#o.events.emit("call:ringend", { ring: shown, reason, sameDevice, ...(where && { where }) });
	}
}
