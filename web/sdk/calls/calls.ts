/**
 * The calls of this user as this tab sees them: the newest snapshot of each, the rings that follow from them, and the calls
 * that run here or elsewhere. It is small; the part that hosts a leg is fetched when a call begins (`leg/`).
 */
import { Refusal } from "../errors.ts";
import { get, put, remove } from "../storage.ts";
import type {
	AnswerParams,
	Calls,
	CallsAvailable,
	CallView,
	ConversationRef,
	Leg,
	Ring,
	StartParams,
} from "../types.ts";
import { any, ignore } from "../wait.ts";
import type { CallChange, LegEnd, LegView, Slots, Snapshot, Speaker } from "../wire.gen.ts";
import { available } from "./available.ts";
import { changed } from "./change.ts";
import type { CallOptions, ClientCalls, Host, LegContext, StoredLeg } from "./context.ts";
import { later, participant, phase, type TimedSnapshot } from "./ring.ts";
import { Rings } from "./rings.ts";

/** How many ended calls are remembered, so that a late snapshot does not bring one back. */
const endedCallsKept = 200;

export class CallStore implements ClientCalls {
	readonly #o: CallOptions;
	readonly #snapshots = new Map<string, TimedSnapshot>();
	readonly #rings: Rings;
	/** Calls that were hung up here and whose end the server has not told yet. */
	readonly #left = new Set<string>();
	/** While a greeting comes: the calls that the server has told of. */
	readonly #told = new Set<string>();
	/** Calls that are asked for after a hole. */
	readonly #asking = new Set<string>();
	/** How many starts, answers and moves are on their way. */
	#beginning = 0;
	#views: readonly CallView[] = [];
	#host: Host | undefined;
	#loading: Promise<Host> | undefined;
	#life = new AbortController();

	constructor(o: CallOptions) {
		this.#o = o;
		const { events, me, who, socket } = o;
		this.#rings = new Rings({
			events,
			me,
			who,
			newest: (call) => this.#snapshots.get(call),
			busy: () => this.#views.length > 0,
			timeIsUp: () => this.#update(),
			firstToRing: (call) => ignore(socket.requestUntilAnswered("call.ringing", { call }, this.#life.signal)),
		});
	}

	get available(): CallsAvailable {
		return available(this.#o.env);
	}

	get rings(): readonly Ring[] {
		return this.#rings.list();
	}

	get views(): readonly CallView[] {
		return this.#views;
	}

	get legs(): readonly Leg[] {
		return this.#host?.legs ?? [];
	}

	get active(): Leg | undefined {
		return this.legs.find((l) => !l.held) ?? this.legs[0];
	}

	async prepare(signal?: AbortSignal): Promise<void> {
		if (!this.available.ok) return;
		const host = await this.#loaded();
		signal?.throwIfAborted();
		host.prepare();
	}

	start(ref: ConversationRef, p: StartParams): Promise<Leg> {
		const id = this.#o.env.id();
		return this.#begin(p.signal, (host, clicked, signal) =>
			host.start({ ...ref, ...p }, id, clicked, signal),
		);
	}

	answer(call: string, p: AnswerParams = {}): Promise<Leg> {
		return this.#begin(p.signal, (host, clicked, signal) => host.answer(call, p, clicked, signal));
	}

	moveHere(call: string, p: AnswerParams = {}): Promise<Leg> {
		return this.#begin(p.signal, (host, clicked, signal) => host.move(call, p, clicked, signal));
	}

	async decline(call: string, signal?: AbortSignal): Promise<void> {
		this.silence(call);
		await this.#o.socket.requestUntilAnswered("call.decline", { call }, this.#until(signal));
	}

	silence(call: string): void {
		this.siblingTold("silence", call);
		this.#o.tell("silence", call);
	}

	async hangUp(call: string, signal?: AbortSignal): Promise<void> {
		const leg = this.legs.find((l) => l.call === call);
		if (leg) return leg.hangUp();
		this.#leave(call);
		await this.#o.socket.requestUntilAnswered("call.leave", { call }, this.#until(signal));
	}

	async setMicrophone(call: string, on: boolean): Promise<void> {
		const leg = this.legs.find((l) => l.call === call);
		if (leg) return leg.setMicrophone(on);
		await this.#o.socket.requestUntilAnswered("call.state", { call, microphone: on }, this.#life.signal);
	}

	async setHeld(call: string, held: boolean): Promise<void> {
		const leg = this.legs.find((l) => l.call === call);
		if (leg) return leg.setHeld(held);
		await this.#o.socket.requestUntilAnswered("call.state", { call, held }, this.#life.signal);
	}

	async setHandRaised(call: string, raised: boolean): Promise<void> {
		await this.#o.socket.requestUntilAnswered("call.state", { call, hand_raised: raised }, this.#life.signal);
	}

	async devices(): Promise<MediaDeviceInfo[]> {
		return (await this.#ready()).devices();
	}

	async preview(p: Parameters<Calls["preview"]>[0]): Promise<MediaStream> {
		return (await this.#ready()).preview(p);
	}

	welcomed(): void {
		this.#told.clear();
		this.#host?.rebind();
	}

	synced(): void {
		for (const { snapshot: s } of [...this.#snapshots.values()])
			if (!this.#told.has(s.id) && s.state !== "ended")
				this.#accept({ ...s, state: "ended", reason: "expired" }, 0);
		this.#update();
		if (this.#host) this.#host.resume();
		else if (this.#stored().length > 0 && this.available.ok) ignore(this.#loaded().then((h) => h.resume()));
	}

	apply(c: CallChange, waitedMs = 0): void {
		this.#told.add(c.call.id);
		const now = changed(this.#snapshots.get(c.call.id)?.snapshot, c);
		if (now === "hole") void this.#ask(c);
		else if (now) this.#applySnapshot(now, c.age_ms + waitedMs);
	}

	notification(method: "slots" | "speaker" | "leg.end", params: Slots | Speaker | LegEnd): void {
		this.#host?.notification(method, params);
	}

	/** A ring that was silenced in another tab of this profile is silent here. */
	siblingTold(topic: string, data: unknown): void {
		if (topic === "silence" && typeof data === "string" && this.#rings.silence(data)) this.#update();
	}

	suspend(): void {
		this.#host?.suspend();
	}

	clear(): void {
		this.#life.abort();
		this.#life = new AbortController();
		this.#host?.close();
		remove(this.#o.env.sessionStorage, this.#o.storageKey());
		this.#snapshots.clear();
		this.#asking.clear();
		this.#update();
	}

	close(): void {
		this.#life.abort();
		this.#host?.close();
		this.#rings.close();
	}

	/** A whole snapshot, from a change or from the result of a request. `ageMs`: how old it is. */
	#applySnapshot(s: Snapshot, ageMs = 0): void {
		this.#told.add(s.id);
		if (!this.#accept(s, ageMs)) return;
		this.#update();
		this.#host?.applySnapshot(s);
	}

	/** Changes before this one are missing: asks for the call as it is now. */
	async #ask(c: CallChange): Promise<void> {
		const { id } = c.call;
		if (this.#asking.has(id)) return;
		this.#asking.add(id);
		const life = this.#life.signal;
		try {
			this.apply(await this.#o.socket.requestUntilAnswered("call.get", { call: id }, life));
		} catch {
			// It is over for whoever asks so late. What was told of the end is all there is.
			const known = this.#snapshots.get(id)?.snapshot;
			if (!life.aborted && known && c.call.state === "ended")
				this.#applySnapshot({ ...c.call, participants: known.participants }, c.age_ms);
		} finally {
			this.#asking.delete(id);
		}
	}

	#accept(s: Snapshot, ageMs: number): boolean {
		const known = this.#snapshots.get(s.id);
		if (known) {
			const ended = known.snapshot.state === "ended";
			// An end that was concluded from a greeting is replaced by the real one, which has the reason.
			if (
				ended
					? s.state !== "ended" || !later(s, known.snapshot)
					: s.state !== "ended" && !later(s, known.snapshot)
			)
				return false;
			if (!ended && s.state === "ended" && later(known.snapshot, s)) return false;
		}
		this.#snapshots.delete(s.id);
		this.#snapshots.set(s.id, { snapshot: s, at: performance.now() - ageMs });
		if (s.state !== "ended") return true;
		this.#left.delete(s.id);
		this.#forgetOldest();
		return true;
	}

	#forgetOldest(): void {
		if (this.#snapshots.size <= endedCallsKept) return;
		for (const [id, h] of this.#snapshots)
			if (h.snapshot.state === "ended") return void this.#snapshots.delete(id);
	}

	/** Derives views and rings from the snapshots, and tells listeners what changed. */
	#update(): void {
		const before = this.#views;
		this.#views = this.#allViews();
		this.#rings.settle();
		if (this.#o.present()) for (const known of this.#snapshots.values()) this.#rings.begin(known);
		this.#tellViews(before);
		this.#o.events.emit("calls", undefined);
	}

	#leave(call: string): void {
		this.#left.add(call);
		this.#update();
	}

	/** From a click, which is now, to a leg in this tab. */
	async #begin(
		wanted: AbortSignal | undefined,
		work: (host: Host, clicked: number, signal: AbortSignal) => Promise<Leg>,
	): Promise<Leg> {
		const clicked = performance.now();
		const signal = this.#until(wanted);
		const host = await this.#ready();
		signal.throwIfAborted();
		this.#beginning++;
		try {
			const leg = await work(host, clicked, signal);
			this.#left.delete(leg.call);
			return leg;
		} finally {
			this.#beginning--;
			this.#update();
		}
	}

	/** The leg belongs to this tab, though it is not hosted yet: an answer is on its way, or the page was just loaded. */
	#coming(leg: LegView | undefined): boolean {
		if (!leg) return false;
		if (leg.tab === this.#o.who().tab && this.#beginning > 0) return true;
		const tab = this.#o.tab();
		return this.#host?.isResuming(leg.id) ?? this.#stored().some((l) => l.leg === leg.id && l.tab === tab);
	}

	#allViews(): CallView[] {
		const views: CallView[] = [];
		const me = this.#o.me();
		for (const known of this.#snapshots.values()) {
			const s = known.snapshot;
			const mine = participant(s, me);
			const leg = this.legs.find((l) => l.call === s.id && l.media !== "closed");
			const now = phase(s, me, leg?.media === "reconnecting");
			if (!mine || !now || this.#left.has(s.id)) continue;
			const where = mine.leg;
			views.push({
				id: s.id,
				call: s,
				phase: now,
				me: mine,
				others: s.participants.filter((p) => p.user !== me),
				here: leg !== undefined || this.#coming(where),
				...(leg && { leg }),
				...(where && { where }),
				sameDevice: where?.device === this.#o.who().device,
				activeSince: s.state === "active" ? known.at - (s.active_ms ?? 0) : undefined,
			});
		}
		return views;
	}

	#tellViews(before: readonly CallView[]): void {
		for (const v of this.#views) {
			const old = before.find((b) => b.id === v.id);
			if (v.call.state === "active" && (old?.call.state !== "active" || old.here !== v.here) && v.here)
				this.#o.events.emit("call:active", v);
			const moved = old?.here !== v.here || old.where?.tab !== v.where?.tab;
			if (!v.here && v.where && moved) this.#o.events.emit("call:elsewhere", v);
		}
		for (const old of before) {
			if (this.#views.some((v) => v.id === old.id)) continue;
			const last = this.#snapshots.get(old.id)?.snapshot;
			const call = last ?? old.call;
			const reason = last?.reason ?? "completed";
			this.#o.events.emit("call:ended", { view: { ...old, call, phase: "ended" }, reason });
		}
	}

	async #ready(): Promise<Host> {
		const a = this.available;
		if (!a.ok && a.reason === "calls_need_https")
			throw new Refusal("calls_need_https", "Calls need HTTPS. Open this page by https.");
		if (!a.ok) throw new Refusal("not_allowed", "This browser cannot make calls.");
		return this.#loaded();
	}

	#loaded(): Promise<Host> {
		this.#loading ??= this.#o.load().then(
			(part) => {
				this.#host = part.openHost(this.#context());
				return this.#host;
			},
			(err) => {
				this.#loading = undefined;
				throw err;
			},
		);
		return this.#loading;
	}

	#context(): LegContext {
		const { env, socket, relayOnly, singleLayer, me, tab, channel, hostLock, mayTakeOver, events } = this.#o;
		return {
			env,
			socket,
			relayOnly,
			singleLayer,
			me,
			tab,
			channel,
			hostLock,
			mayTakeOver,
			snapshot: (call) => this.#snapshots.get(call)?.snapshot,
			apply: (s) => this.#applySnapshot(s),
			left: (call) => this.#leave(call),
			changed: () => this.#update(),
			error: (err) => events.emit("error", err),
			stored: () => this.#stored(),
			store: (legs) => this.#store(legs),
		};
	}

	#stored(): StoredLeg[] {
		try {
			const text = get(this.#o.env.sessionStorage, this.#o.storageKey());
			return text ? (JSON.parse(text) as StoredLeg[]) : [];
		} catch {
			return [];
		}
	}

	#store(legs: StoredLeg[]): void {
		if (legs.length === 0) remove(this.#o.env.sessionStorage, this.#o.storageKey());
		else put(this.#o.env.sessionStorage, this.#o.storageKey(), JSON.stringify(legs));
	}

	#until(signal: AbortSignal | undefined): AbortSignal {
		return any(signal, this.#life.signal);
	}
}
