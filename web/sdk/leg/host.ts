/**
 * The part of the SDK that is fetched with the first call: opens devices, makes connections, and hosts this tab's legs.
 * Everything acquired on the way to a leg is given back when the leg does not come to be.
 */
import type { Host, LegContext, StoredLeg } from "../calls/context.ts";
import { participant } from "../calls/ring.ts";
import { Refusal, Unanswered } from "../errors.ts";
import type { Method, Params } from "../rpc.ts";
import type { AnswerParams, Calls, DeviceChoice, Leg, StartParams } from "../types.ts";
import { any, ignore, sleep } from "../wait.ts";
import type { CallAnswer, CallLeg, LegEnd, LegRef, Slots, Snapshot, Speaker } from "../wire.gen.ts";
import { type Captured, capture, deviceError, devices, permissions, stop } from "./devices.ts";
import { HostedLeg } from "./leg.ts";
import { Peer } from "./peer.ts";
import { plan } from "./plan.ts";

/** A PeerConnection that was prepared for a ring is closed if nobody answers within this time. */
const preparedMs = 60_000;
/** Nothing is prepared for the next call so soon after a click; the next ring comes back to it. */
const connectingMs = 3000;

export function openHost(ctx: LegContext): Host {
	return new TabHost(ctx);
}

interface WantedMedia {
	microphone: boolean;
	camera: boolean;
	devices: DeviceChoice;
	clicked?: number;
}

/** A call goes on without a device that could not be opened, and says so. */
const withoutDevices = (err: unknown): Captured => ({ problem: deviceError("microphone", err) });

/**
 * What the page before this one had open. That includes a muted microphone, if the browser will not ask the user: unmuting
 * stays instant, and a page that captures may play sound before anyone clicks in it.
 */
async function reopen(want: WantedMedia, signal: AbortSignal): Promise<Captured> {
	if (!want.microphone && (await permissions())(want.camera))
		try {
			return await capture({ ...want, microphone: true }, want.devices, signal);
		} catch {
			// The microphone is muted: the call goes on without it.
		}
	return capture(want, want.devices, signal).catch(withoutDevices);
}

class TabHost implements Host {
	readonly #ctx: LegContext;
	readonly #legs = new Map<string, HostedLeg>();
	#life = new AbortController();
	#prepared: Peer | undefined;
	/** What may be opened without asking the user, once anybody needs to know. */
	#permitted: ReturnType<typeof permissions> | undefined;
	#preparedFor: ReturnType<typeof setTimeout> | undefined;
	/** Until then a leg connects and shows its first pictures, which needs all the time of this page. */
	#busyUntil = 0;
	#resumed = false;
	/** Legs of earlier pages that are not back yet, each with what gives them up. A reload in between must not lose them. */
	readonly #returning = new Map<StoredLeg, AbortController>();
	/** Ids of those among them that are certainly ours. */
	readonly #regaining = new Set<string>();
	/** How many legs this page asks the server for. */
	#asking = 0;
	/** What the server says of such a leg may come with the reply or before it. By call and method, the newest of each. */
	readonly #early = new Map<string, { method: string; params: unknown }>();

	constructor(ctx: LegContext) {
		this.#ctx = ctx;
	}

	get legs(): readonly Leg[] {
		return [...this.#legs.values()];
	}

	isResuming(leg: string): boolean {
		if (this.#regaining.has(leg)) return true;
		return !this.#resumed && this.#ctx.stored().some((l) => l.leg === leg && l.tab === this.#ctx.tab());
	}

	prepare(): void {
		if (this.#prepared || performance.now() < this.#busyUntil || !this.#ctx.socket.welcome) return;
		this.#prepared = this.#makePeer();
		this.#prepared.prepare();
		this.#permitted ??= permissions();
		this.#preparedFor = setTimeout(() => this.#takePrepared()?.close(), preparedMs);
	}

	async start(
		p: { to?: string; conversation?: string } & StartParams,
		clientCallId: string,
		clicked: number,
		signal: AbortSignal,
	): Promise<Leg> {
		const { to, conversation, media } = p;
		const camera = p.camera ?? media === "video";
		const params = {
			client_call_id: clientCallId,
			media,
			camera,
			...(to !== undefined && { to }),
			...(conversation !== undefined && { conversation }),
		};
		const want = { microphone: true, camera, devices: p.devices ?? {}, clicked };
		return this.#begin("call.start", params, want, signal);
	}

	async answer(call: string, p: AnswerParams, clicked: number, signal: AbortSignal): Promise<Leg> {
		const { camera = false, microphone = true } = p;
		const want = { microphone, camera, devices: p.devices ?? {}, clicked };
		return this.#begin("call.answer", { call, camera }, want, signal);
	}

	async move(call: string, p: AnswerParams, clicked: number, signal: AbortSignal): Promise<Leg> {
		const s = this.#ctx.snapshot(call);
		const mine = s?.participants.find((x) => x.user === this.#ctx.me());
		const camera = p.camera ?? mine?.camera ?? false;
		const microphone = p.microphone ?? mine?.microphone ?? true;
		return this.#begin(
			"call.move",
			{ call },
			{ microphone, camera, devices: p.devices ?? {}, clicked },
			signal,
		);
	}

	rebind(): void {
		for (const leg of this.#legs.values()) void leg.rebind();
	}

	resume(): void {
		if (this.#resumed) return;
		for (const stored of this.#ctx.stored())
			if (![...this.#legs.values()].some((l) => l.id === stored.leg)) void this.#resume(stored);
		this.#resumed = true;
	}

	applySnapshot(s: Snapshot): void {
		this.#legs.get(s.id)?.applySnapshot(s);
		if (s.state === "ended")
			for (const [leg, giveUp] of this.#returning) if (leg.call === s.id) giveUp.abort();
	}

	notification(method: string, params: unknown): void {
		const p = params as Slots | Speaker | LegEnd;
		const leg = this.#legs.get(p.call);
		if (!leg) {
			if (this.#asking > 0) this.#early.set(`${p.call} ${method}`, { method, params });
			return;
		}
		if (method === "slots") leg.slots((p as Slots).slots);
		else if (method === "speaker") leg.setSpeaker((p as Speaker).user || undefined);
		else if (method === "leg.end" && (p as LegEnd).leg === leg.id) leg.release();
	}

	suspend(): void {
		for (const leg of this.#legs.values()) {
			const { call, leg: id, secret } = leg.stored();
			this.#ctx.socket.notify("leg.suspend", { call, leg: id, secret });
		}
	}

	devices(): Promise<MediaDeviceInfo[]> {
		return devices();
	}

	async preview(p: Parameters<Calls["preview"]>[0]): Promise<MediaStream> {
		const got = await capture(p, p.devices ?? {}, p.signal);
		const tracks = [got.microphone, got.camera].filter((t) => t !== undefined);
		p.signal.addEventListener("abort", () => stop(...tracks), { once: true });
		if (got.problem && tracks.length === 0) throw got.problem;
		return new MediaStream(tracks);
	}

	close(): void {
		this.#takePrepared()?.close();
		this.#life.abort();
		this.#life = new AbortController();
		for (const leg of [...this.#legs.values()]) leg.release();
	}

	/**
	 * From the click to a leg: asks the server, opens the devices and connects, all at the same time when the browser does not
	 * have to ask the user. Else the devices come first: nobody answers a call and then finds out that there is no microphone.
	 */
	async #begin<M extends "call.start" | "call.answer" | "call.move">(
		method: M,
		params: Params<M>,
		want: WantedMedia,
		signal: AbortSignal,
	): Promise<Leg> {
		const peer = this.#takePrepared() ?? this.#makePeer();
		this.#busyUntil = performance.now() + connectingMs;
		let capturing: Promise<Captured> | undefined;
		let grant: CallLeg | undefined;
		try {
			this.#permitted ??= permissions();
			const withoutPrompt = (await this.#permitted)(want.camera);
			signal.throwIfAborted();
			const open = capture(want, want.devices, signal);
			const captured = (capturing = open.catch(withoutDevices));
			if (!withoutPrompt) await open;
			signal.throwIfAborted();
			const sdp = await peer.begin();
			signal.throwIfAborted();
			// The offer of a leg that this page hosts already must not take the place of its PeerConnection.
			const withOffer = method === "call.answer" && sdp && !this.#legs.has((params as CallAnswer).call);
			return await this.#keepingEarly(async () => {
				grant = await this.#ask(method, withOffer ? { ...params, sdp } : params, signal);
				signal.throwIfAborted();
				return this.#host(grant, captured, want, peer);
			});
		} catch (err) {
			peer.close();
			void capturing?.then((c) => stop(c.microphone, c.camera));
			// It was called off, but the server has begun it.
			if (grant && method !== "call.move")
				ignore(this.#ctx.socket.requestUntilAnswered("call.leave", { call: grant.call.id }));
			throw err;
		}
	}

	/**
	 * These requests may be repeated: after a lost answer the server grants the same leg again, with a new secret. So a lost
	 * connection or a busy server only delays them. What a limit or a full disk forbids was not carried out, and the user is
	 * told. They can be called off while nothing was sent.
	 */
	async #ask<M extends "call.start" | "call.answer" | "call.move">(
		method: M,
		params: Params<M>,
		signal: AbortSignal,
	): Promise<CallLeg> {
		const { socket } = this.#ctx;
		await socket.untilGreeted(signal);
		const passes = (refused: Refusal) => refused.code === "busy" && refused.retryMs > 0;
		return (await socket.requestUntilAnswered(method as Method, params, undefined, passes)) as CallLeg;
	}

	/** Gets a leg and hosts it. What the server says of the leg until then is kept. */
	async #keepingEarly<T>(getAndHost: () => Promise<T>): Promise<T> {
		this.#asking++;
		try {
			return await getAndHost();
		} finally {
			if (--this.#asking === 0) this.#early.clear();
		}
	}

	#host(grant: CallLeg, capturing: Promise<Captured>, want: WantedMedia, peer?: Peer): Leg {
		const old = this.#legs.get(grant.call.id);
		if (old?.id === grant.leg) {
			peer?.close();
			void capturing.then((c) => stop(c.microphone, c.camera));
			old.regrant(grant);
			return old;
		}
		old?.release();
		this.#busyUntil = performance.now() + connectingMs;
		const { microphone, camera, devices, clicked } = want;
		const leg = new HostedLeg({
			ctx: this.#ctx,
			grant,
			capturing,
			microphone,
			camera,
			devices,
			...(clicked !== undefined && { clicked }),
			notification: (method, params) => this.notification(method, params),
			ended: (l) => this.#ended(l),
			persist: () => this.#persist(),
		});
		this.#legs.set(leg.call, leg);
		this.#persist();
		// A leg on hold that comes back after a reload leaves the other one active.
		if (!participant(grant.call, this.#ctx.me())?.held) this.#holdOthers(leg.call);
		leg.start(peer);
		for (const [key, { method, params }] of this.#early)
			if ((params as LegRef).call === leg.call && this.#early.delete(key)) this.notification(method, params);
		this.#ctx.apply(grant.call);
		this.#ctx.changed();
		return leg;
	}

	/** A user speaks in one call: the others of this tab are put on hold. The server does the same for those in other tabs. */
	#holdOthers(call: string): void {
		for (const other of this.#legs.values())
			if (other.call !== call && !other.held) ignore(other.setHeld(true));
	}

	/**
	 * A leg that an earlier page of this tab hosted comes here, after a reload or a navigation. In a copy of a page that
	 * lives it is forgotten.
	 */
	async #resume(stored: StoredLeg): Promise<void> {
		const life = this.#life.signal;
		const giveUp = new AbortController();
		const signal = any(life, giveUp.signal);
		const { microphone, camera, devices } = stored;
		const want = { microphone, camera, devices };
		this.#returning.set(stored, giveUp);
		try {
			await this.#keepingEarly(async () => {
				const leg = await this.#regain(stored, signal);
				this.#returning.delete(stored);
				if (leg) this.#host(leg, reopen(want, signal), want);
			});
		} catch (err) {
			// A refusal says that the call is over, or that another page has the leg: nothing to come back to.
			if (!(err instanceof Refusal) && !signal.aborted) this.#ctx.error(err as Error);
		} finally {
			this.#returning.delete(stored);
			this.#regaining.delete(stored.leg);
			if (!life.aborted) this.#persist();
			this.#ctx.changed();
		}
	}

	/** Undefined when the leg is not ours to take, or its call is over. */
	async #regain({ tab, call, leg, secret }: StoredLeg, signal: AbortSignal): Promise<CallLeg | undefined> {
		const now = this.#ctx.snapshot(call);
		if (!now || now.state === "ended" || !(await this.#ctx.mayTakeOver(tab, signal))) return undefined;
		this.#regaining.add(leg);
		this.#ctx.changed();
		for (;;) {
			try {
				return await this.#ctx.socket.request("call.resume", { call, leg, secret }, signal);
			} catch (err) {
				// `leg_in_use`: the page before is gone, and the server learns of it soon, by the end of its connection or of its media.
				if (err instanceof Refusal && err.temporary) await sleep(err.retryMs || 500, signal);
				else if (!(err instanceof Unanswered)) throw err;
			}
		}
	}

	#ended(leg: HostedLeg): void {
		if (this.#legs.get(leg.call) === leg) this.#legs.delete(leg.call);
		this.#ctx.socket.holdsLeg = this.#legs.size > 0;
		this.#persist();
		this.#ctx.changed();
	}

	#persist(): void {
		this.#ctx.store([...[...this.#legs.values()].map((l) => l.stored()), ...this.#returning.keys()]);
	}

	#makePeer(): Peer {
		const { socket, relayOnly, singleLayer } = this.#ctx;
		const config = plan(socket.welcome?.ice_servers ?? [], relayOnly)[0] ?? {};
		return new Peer({ config, singleLayer });
	}

	#takePrepared(): Peer | undefined {
		clearTimeout(this.#preparedFor);
		const peer = this.#prepared;
		this.#prepared = undefined;
		return peer;
	}
}
