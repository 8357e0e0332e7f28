/**
 * The media path of one leg: keeps it connected. It offers, tries other ways to the server when the first does not connect,
 * restarts ICE when the network falls silent, and builds a new PeerConnection when the server knows nothing of the old one.
 * Negotiations run one after the other.
 *
 * Before the first media a connection that does not come up is built anew and not restarted: a DTLS handshake that lost
 * its packets doubles its wait with each, and a restart of ICE keeps that wait (15 of 23 came up by a restart at 20 % loss, 21
 * of 21 by a new PeerConnection).
 */
import type { LegContext } from "../calls/context.ts";
import { Refusal, Unanswered } from "../errors.ts";
import type { LegMedia } from "../types.calls.ts";
import { any, sleep } from "../wait.ts";
import type { LegRef } from "../wire.gen.ts";
import { Peer } from "./peer.ts";
import { attemptMs, plan } from "./plan.ts";
import { type Arrivals, isSilent, nothingArrivedYet, observe } from "./silence.ts";
import { type Reading, read } from "./stats.ts";

export interface MediaPathOptions {
	readonly ctx: LegContext;
	/** Resolves when the leg is bound to the present socket; its secret is current then. */
	untilBound(signal: AbortSignal): Promise<LegRef>;
	/** Gives a new PeerConnection its tracks, and takes its streams and channels. Called before its first offer. */
	equip(peer: Peer): Promise<void>;
	/** The transceivers of the PeerConnection have their mids now. */
	described(): void;
	stateChanged(media: LegMedia): void;
	/** Why the server takes no offer of this leg for now; undefined: it has taken one again. */
	refused(why: Refusal | undefined): void;
	statsRead(r: Reading): void;
	/** The server no longer knows the leg. */
	legGone(): void;
}

/** How often the statistics are read, and how often while the first frame is waited for. */
const readMs = 500;
const readForFirstFrameMs = 100;
/** Restarts of ICE without an effect before the PeerConnection is built anew. */
const restartsBeforeRebuild = 2;

/** How long the next offer waits after a refusal that names no time, and the most it waits after many in a row. */
const refusedMs = 1000;
const refusedMostMs = 15_000;

/** What the next negotiation does. */
type Need =
	/** Offers what the PeerConnection is: its first offer, or one whose answer was lost. */
	| "offer"
	/** Restarts ICE on the PeerConnection, which has been connected before. */
	| "restart"
	/** Closes the PeerConnection and offers with a new one. It takes the place of every other need. */
	| "rebuild";

export class MediaPath {
	/** The first frame is waited for: the statistics are read often. */
	waitsForFirstFrame = true;
	readonly #o: MediaPathOptions;
	readonly #life = new AbortController();
	#peer: Peer | undefined;
	/** The PeerConnection that has its tracks, streams and channels already. */
	#equipped: Peer | undefined;
	#need: Need | undefined;
	/** The server's answer to the offer of the prepared PeerConnection, if it came with the leg. */
	#answered: string | undefined;
	#negotiating = false;
	/** Refusals in a row, and what ends the wait after the last of them. */
	#refusals = 0;
	#wait = new AbortController();
	/** ICE and DTLS of some PeerConnection of this leg have been up. */
	#everConnected = false;
	/** Which of the ways to the server is tried. */
	#attempt = 0;
	#attemptTimer: ReturnType<typeof setTimeout> | undefined;
	#readTimer: ReturnType<typeof setTimeout> | undefined;
	#arrivals: Arrivals = nothingArrivedYet(0);

	constructor(o: MediaPathOptions) {
		this.#o = o;
	}

	get peer(): Peer | undefined {
		return this.#peer;
	}

	/** `prepared`: was made while it rang. `answered`: what the server has answered to its offer already. */
	start(prepared?: Peer, answered?: string): void {
		this.#peer = prepared;
		if (prepared) this.#answered = answered;
		if (prepared) this.#watch(prepared);
		this.#want(prepared ? "offer" : "rebuild");
		this.#readLater();
	}

	/** The leg was bound to a new socket. `newServer`: another process has the call, and knows nothing of our media. */
	rebound(newServer: boolean): void {
		if (newServer) {
			this.#want("rebuild");
			// What another process has refused says nothing of this one.
			this.#refusals = 0;
			return this.#wait.abort();
		}
		// A first offer that is on its way is sent, or sent again, over the new socket.
		if (this.#negotiating && !this.#everConnected) return;
		if (isSilent(this.#arrivals, performance.now()) || !this.#connected) this.#recover();
	}

	close(): void {
		this.#life.abort();
		clearTimeout(this.#attemptTimer);
		clearTimeout(this.#readTimer);
		this.#peer?.close();
	}

	get #connected(): boolean {
		return this.#peer?.pc.connectionState === "connected";
	}

	#recover(): void {
		this.#want(this.#everConnected ? "restart" : "rebuild");
	}

	#want(need: Need): void {
		if (this.#need !== "rebuild") this.#need = need;
		if (!this.#negotiating) void this.#negotiateAll();
	}

	async #negotiateAll(): Promise<void> {
		this.#negotiating = true;
		const life = this.#life.signal;
		while (this.#need && !life.aborted) {
			const need = this.#need;
			this.#need = undefined;
			try {
				await this.#negotiate(need, life);
			} catch (err) {
				if (life.aborted) break;
				await this.#failed(err, need, life).catch(() => {});
			}
		}
		this.#negotiating = false;
	}

	async #negotiate(need: Need, life: AbortSignal): Promise<void> {
		const answered = need === "offer" ? this.#answered : undefined;
		this.#answered = undefined;
		if (need === "rebuild") this.#replacePeer();
		const peer = this.#peer;
		if (!peer) return;
		if (this.#equipped !== peer) {
			this.#equipped = peer;
			await this.#o.equip(peer);
			life.throwIfAborted();
		}
		const sdp = await peer.offer(need === "restart");
		if (this.#peer === peer) this.#o.described();
		const ref = await this.#o.untilBound(life);
		if (this.#peer !== peer) return;
		this.#startAttempt();
		const answer = answered ?? (await this.#o.ctx.socket.request("leg.offer", { ...ref, sdp }, life)).sdp;
		this.#refusals = 0;
		this.#o.refused(undefined);
		if (this.#peer !== peer) return;
		if (!(await peer.accept(answer))) this.#want("rebuild");
	}

	async #failed(err: unknown, need: Need, life: AbortSignal): Promise<void> {
		// With the next socket the leg is bound again, and `rebound` looks at the media then.
		if (err instanceof Unanswered) {
			this.#need ??= need === "rebuild" ? "offer" : need;
			return sleep(100, life);
		}
		if (
			err instanceof Refusal &&
			(err.code === "leg_unknown" || err.code === "call_ended" || err.code === "not_found")
		)
			return this.#o.legGone();
		if (err instanceof Refusal) return this.#refused(err, life);
		this.#o.ctx.error(err as Error);
		await sleep(1000, life);
		this.#need ??= "rebuild";
	}

	/**
	 * The server does not take the offer. It is made again, later and later: what is in its way, such as other calls of this
	 * user, may end. No other way to the server would help meanwhile.
	 */
	async #refused(why: Refusal, life: AbortSignal): Promise<void> {
		clearTimeout(this.#attemptTimer);
		// One that passes at once is not worth telling.
		if (!why.temporary || this.#refusals > 0) this.#o.refused(why);
		const first = why.retryMs || refusedMs;
		const ms = Math.min(first * 2 ** this.#refusals++, Math.max(first, refusedMostMs));
		this.#wait = new AbortController();
		await sleep(ms, any(life, this.#wait.signal)).catch(() => {});
		this.#need ??= why.temporary || why.code === "too_many_peers" ? "offer" : "rebuild";
	}

	#replacePeer(): void {
		this.#peer?.close();
		const { ctx } = this.#o;
		const config = this.#ways()[this.#attempt] ?? {};
		this.#peer = new Peer({ config, singleLayer: ctx.singleLayer });
		this.#arrivals = nothingArrivedYet(performance.now());
		this.#watch(this.#peer);
	}

	#watch(peer: Peer): void {
		peer.pc.addEventListener("connectionstatechange", () => {
			if (this.#peer !== peer || this.#life.signal.aborted) return;
			const s = peer.pc.connectionState;
			if (s === "connected") this.#hasConnected();
			// Afterwards the next reading of the statistics restarts ICE.
			else if (s === "failed" && !this.#everConnected) this.#tryNextWay();
			this.#tellState();
		});
	}

	#hasConnected(): void {
		this.#everConnected = true;
		this.#attempt = 0;
		clearTimeout(this.#attemptTimer);
		const { longestPause } = this.#arrivals;
		this.#arrivals = { ...nothingArrivedYet(performance.now()), longestPause };
	}

	#tellState(): void {
		const silent = this.#arrivals.restarts > 0;
		const lost = this.#everConnected ? "reconnecting" : "connecting";
		this.#o.stateChanged(this.#connected && !silent ? "up" : lost);
	}

	/** An offer was sent. If it does not connect in time, the next way to the server is tried. */
	#startAttempt(): void {
		clearTimeout(this.#attemptTimer);
		if (!this.#connected) this.#attemptTimer = setTimeout(() => this.#tryNextWay(), attemptMs);
	}

	#tryNextWay(): void {
		const ways = this.#ways();
		this.#attempt = (this.#attempt + 1) % ways.length;
		const way = ways[this.#attempt];
		if (way && this.#everConnected) this.#peer?.pc.setConfiguration(way);
		this.#recover();
	}

	#ways(): RTCConfiguration[] {
		const { ctx } = this.#o;
		return plan(ctx.socket.welcome?.ice_servers ?? [], ctx.relayOnly);
	}

	#readLater(): void {
		this.#readTimer = setTimeout(
			async () => {
				await this.#readStats().catch(() => {});
				if (!this.#life.signal.aborted) this.#readLater();
			},
			this.waitsForFirstFrame ? readForFirstFrameMs : readMs,
		);
	}

	async #readStats(): Promise<void> {
		const peer = this.#peer;
		if (!peer || !this.#everConnected) return;
		const report = await peer.pc.getStats();
		if (this.#peer !== peer || this.#life.signal.aborted) return;
		const now = performance.now();
		const r = read(report as unknown as Iterable<[string, unknown]>, now);
		const state = peer.pc.connectionState;
		const before = this.#arrivals.restarts;
		const lost = state === "disconnected" || state === "failed";
		const { arrivals, restart } = observe(this.#arrivals, r.arrived, lost, now);
		this.#arrivals = arrivals;
		if (restart) this.#want(arrivals.restarts > restartsBeforeRebuild ? "rebuild" : "restart");
		if (before > 0 !== arrivals.restarts > 0) this.#tellState();
		this.#o.statsRead(r);
	}
}
