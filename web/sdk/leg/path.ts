/**
 * Keeps one leg's media connected: offers, tries other ways when the first does not connect, restarts ICE when the network
 * falls silent, and makes a new connection when the server's media began anew. Negotiations run one after the other.
 */
import type { LegContext } from "../calls/context.ts";
import { Refusal, Unanswered } from "../errors.ts";
import type { LegMedia } from "../types.calls.ts";
import { sleep } from "../wait.ts";
import type { LegRef } from "../wire.gen.ts";
import { Peer } from "./peer.ts";
import { attemptMs, plan } from "./plan.ts";
import { type Ear, hear, listening, silent } from "./silence.ts";
import { type Reading, read } from "./stats.ts";

export interface MediaPathOptions {
	readonly ctx: LegContext;
	/** Resolves when the leg belongs to the present connection; its secret is current then. */
	bound(signal: AbortSignal): Promise<LegRef>;
	/** A new connection: give it tracks, take its streams and channels. Called before its first offer. */
	fresh(peer: Peer): Promise<void>;
	state(media: LegMedia): void;
	reading(r: Reading): void;
	/** The server no longer knows the leg. */
	over(err: Refusal): void;
}

/** How often the connection is listened to, and how often while its first frame is waited for. */
const listenMs = 500;
const eagerMs = 100;
/** Restarts without a sound before the connection is made anew. */
const restartsBeforeRebuild = 2;

type Need = "offer" | "restart" | "rebuild";

export class MediaPath {
	/** Wait for the first frame: listen often. */
	eager = true;
	readonly #o: MediaPathOptions;
	readonly #life = new AbortController();
	#peer: Peer | undefined;
	#need: Need | undefined;
	#working = false;
	#everUp = false;
	#attempt = 0;
	#attempting: ReturnType<typeof setTimeout> | undefined;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#ear: Ear = listening(0);

	constructor(o: MediaPathOptions) {
		this.#o = o;
	}

	get peer(): Peer | undefined {
		return this.#peer;
	}

	/** `prepared`: made while it rang, not yet used. */
	start(prepared?: Peer): void {
		this.#peer = prepared;
		if (prepared) this.#wire(prepared);
		this.#want(prepared ? "offer" : "rebuild");
		this.#listen();
	}

	/** The leg was bound to a new connection. `anew`: to a server that knows nothing of our media. */
	rebound(anew: boolean): void {
		if (anew) this.#want("rebuild");
		else if (silent(this.#ear, performance.now()) || this.#peer?.pc.connectionState !== "connected")
			this.#want("restart");
	}

	close(): void {
		this.#life.abort();
		clearTimeout(this.#attempting);
		clearTimeout(this.#timer);
		this.#peer?.close();
	}

	#want(need: Need): void {
		if (this.#need !== "rebuild") this.#need = need;
		if (!this.#working) void this.#work();
	}

	async #work(): Promise<void> {
		this.#working = true;
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
		this.#working = false;
	}

	async #negotiate(need: Need, life: AbortSignal): Promise<void> {
		if (need === "rebuild") this.#replace();
		const peer = this.#peer;
		if (!peer) return;
		if (need !== "restart") await this.#o.fresh(peer);
		life.throwIfAborted();
		const sdp = await peer.offer(need === "restart");
		const ref = await this.#o.bound(life);
		if (this.#peer !== peer) return;
		this.#watchAttempt();
		const { sdp: answer } = await this.#o.ctx.socket.request("leg.offer", { ...ref, sdp }, life);
		if (this.#peer !== peer) return;
		if (!(await peer.accept(answer))) this.#want("rebuild");
	}

	async #failed(err: unknown, need: Need, life: AbortSignal): Promise<void> {
		// With the connection the leg is bound again, and that looks at the media anew.
		if (err instanceof Unanswered) {
			this.#need ??= need === "rebuild" ? "offer" : need;
			return sleep(100, life);
		}
		if (
			err instanceof Refusal &&
			(err.code === "leg_unknown" || err.code === "call_ended" || err.code === "not_found")
		)
			return this.#o.over(err);
		this.#o.ctx.error(err as Error);
		await sleep(err instanceof Refusal ? err.retryMs || 1000 : 1000, life);
		this.#need ??= err instanceof Refusal && err.temporary ? "offer" : "rebuild";
	}

	#replace(): void {
		this.#peer?.close();
		const { ctx } = this.#o;
		const config = this.#configs()[this.#attempt] ?? {};
		this.#peer = new Peer({ config, singleLayer: ctx.singleLayer });
		this.#ear = listening(performance.now());
		this.#wire(this.#peer);
	}

	#wire(peer: Peer): void {
		peer.pc.addEventListener("connectionstatechange", () => {
			if (this.#peer !== peer || this.#life.signal.aborted) return;
			const s = peer.pc.connectionState;
			if (s === "connected") this.#up();
			else if (s === "failed") this.#want(this.#everUp ? "restart" : "rebuild");
			this.#tell();
		});
	}

	#up(): void {
		this.#everUp = true;
		this.#attempt = 0;
		clearTimeout(this.#attempting);
		this.#attempting = undefined;
		const now = performance.now();
		this.#ear = { ...listening(now), pause: this.#ear.pause };
	}

	#tell(): void {
		const connected = this.#peer?.pc.connectionState === "connected";
		const quiet = this.#ear.restarts > 0;
		this.#o.state(connected && !quiet ? "up" : this.#everUp ? "reconnecting" : "connecting");
	}

	/** "connect timer – retry by TURN/TCP, TURN/TLS" */
	#watchAttempt(): void {
		clearTimeout(this.#attempting);
		if (this.#peer?.pc.connectionState === "connected") return;
		this.#attempting = setTimeout(() => {
			const configs = this.#configs();
			this.#attempt = (this.#attempt + 1) % configs.length;
			const config = configs[this.#attempt];
			if (config) this.#peer?.pc.setConfiguration(config);
			this.#want("restart");
		}, attemptMs);
	}

	#configs(): RTCConfiguration[] {
		const { ctx } = this.#o;
		return plan(ctx.socket.welcome?.ice_servers ?? [], ctx.relayOnly);
	}

	#listen(): void {
		this.#timer = setTimeout(
			async () => {
				await this.#look().catch(() => {});
				if (!this.#life.signal.aborted) this.#listen();
			},
			this.eager ? eagerMs : listenMs,
		);
	}

	async #look(): Promise<void> {
		const peer = this.#peer;
		if (!peer || !this.#everUp) return;
		const report = await peer.pc.getStats();
		if (this.#peer !== peer || this.#life.signal.aborted) return;
		const now = performance.now();
		const r = read(report as unknown as Iterable<[string, unknown]>, now);
		const state = peer.pc.connectionState;
		const before = this.#ear.restarts;
		const { ear, restart } = hear(this.#ear, r.heard, state === "disconnected" || state === "failed", now);
		this.#ear = ear;
		if (restart) this.#want(ear.restarts > restartsBeforeRebuild ? "rebuild" : "restart");
		if (before > 0 !== ear.restarts > 0) this.#tell();
		this.#o.reading(r);
	}
}
