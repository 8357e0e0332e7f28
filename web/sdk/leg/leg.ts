/**
 * This tab's part in one call: what it sends, what it gets, and what the user wants of it. What is wanted changes here at
 * once and is then told to the server; what another tab of this user wants (mute, hold) comes with the next snapshot.
 */
import type { LegContext, StoredLeg } from "../calls/context.ts";
import { participant } from "../calls/ring.ts";
import { Emitter } from "../emitter.ts";
import { Refusal, Unanswered } from "../errors.ts";
import { Rpc } from "../rpc.ts";
import type { Leg, LegMedia, MediaStats } from "../types.calls.ts";
import type { DeviceChoice } from "../types.ts";
import { type Gate, gate, ignore, sleep } from "../wait.ts";
import type { CallLeg, CallStateSet, LegRef, Slot, Snapshot } from "../wire.gen.ts";
import type { Captured } from "./devices.ts";
import { MediaPath } from "./path.ts";
import type { Peer } from "./peer.ts";
import { Remotes } from "./remotes.ts";
import { type LocalSource, Senders } from "./senders.ts";
import { type Reading, summary } from "./stats.ts";

export interface LegOptions {
	ctx: LegContext;
	grant: CallLeg;
	/** The devices that are being opened. It never fails, but may bring a problem. */
	capturing: Promise<Captured>;
	camera: boolean;
	microphone: boolean;
	devices: DeviceChoice;
	/** When the user clicked, for the statistics of the server; undefined after a reload. */
	clicked?: number;
	notification(method: string, params: unknown): void;
	/** The leg is over, and has given back everything. */
	ended(leg: HostedLeg): void;
	/** What a reload needs has changed, and is to be stored. */
	persist(): void;
}

/** How often a resume is repeated that the server refuses for the moment, before the leg is given up. */
const resumeRepeats = 15;

export class HostedLeg implements Leg {
	readonly call: string;
	readonly id: string;
	readonly merged: boolean;
	media: LegMedia = "preparing";
	speaker: string | undefined;
	stats: MediaStats | undefined;
	refused: Refusal | undefined;

	readonly #o: LegOptions;
	readonly #life = new AbortController();
	readonly #path: MediaPath;
	readonly #remotes = new Remotes();
	readonly #lossy = new Emitter<{ data: unknown }>();
	readonly #senders: Senders;
	#secret: string;
	#epoch: number;
	/** Opens when the leg is bound to the present socket; undefined while it is. */
	#unbound: Gate | undefined;
	#binding = false;
	/** A snapshot has shown this leg as mine. If one shows another leg then, this one was replaced. */
	#confirmed = false;
	/** How many changes are on their way to the server, and at first the devices: meanwhile snapshots are older than this leg. */
	#telling = 1;
	#audio: readonly MediaStream[] = [];
	#before: Reading | undefined;
	#levels: ReadonlyMap<string, number> = new Map();
	#phases = new Set<string>();

	constructor(o: LegOptions) {
		this.#o = o;
		this.call = o.grant.call.id;
		this.id = o.grant.leg;
		this.merged = o.grant.merged ?? false;
		this.#secret = o.grant.secret;
		this.#epoch = o.grant.call.epoch;
		this.#senders = new Senders({
			microphone: o.microphone,
			camera: o.camera,
			devices: o.devices,
			life: this.#life.signal,
			peer: () => this.#path.peer,
			changed: () => this.#changed(),
			switchedOff: (source) => ignore(this.#tell({ call: this.call, [source]: false })),
		});
		this.#path = new MediaPath({
			ctx: o.ctx,
			untilBound: (signal) => this.#untilBound(signal),
			equip: (peer) => this.#equip(peer),
			described: () => this.slots(this.#remotes.slots),
			stateChanged: (m) => this.#stateChanged(m),
			refused: (why) => this.#refused(why),
			statsRead: (r) => this.#statsRead(r),
			legGone: () => this.release(),
		});
		o.ctx.hostLock(this.id, this.#life.signal);
		o.ctx.socket.holdsLeg = true;
		o.ctx.socket.on(
			"connection",
			(c) => {
				if (c.state !== "online" && c.state !== "syncing") this.#unbound ??= gate();
			},
			{ signal: this.#life.signal },
		);
	}

	get microphone(): boolean {
		return this.#senders.microphone;
	}

	get camera(): boolean {
		return this.#senders.camera;
	}

	get held(): boolean {
		return this.#senders.held;
	}

	get opening(): boolean {
		return this.#senders.opening;
	}

	get devices(): DeviceChoice {
		return this.#senders.devices;
	}

	get preview(): MediaStream | undefined {
		return this.#senders.preview;
	}

	get problem(): Leg["problem"] {
		return this.#senders.problem;
	}

	get audio(): readonly MediaStream[] {
		return this.held ? [] : this.#audio;
	}

	get remotes(): Leg["remotes"] {
		return this.#remotes.remotes;
	}

	get closed(): boolean {
		return this.#life.signal.aborted;
	}

	start(prepared?: Peer): void {
		this.media = "connecting";
		this.#path.start(prepared, this.#o.grant.sdp);
		ignore(this.#o.capturing.then((got) => this.#captured(got)));
	}

	stored(): StoredLeg {
		const { call, id, microphone, camera, devices } = this;
		return { tab: this.#o.ctx.tab(), call, leg: id, secret: this.#secret, microphone, camera, devices };
	}

	// What the user asks for.

	async setMicrophone(on: boolean): Promise<void> {
		await this.#switch("microphone", on);
	}

	async setCamera(on: boolean): Promise<void> {
		await this.#switch("camera", on);
	}

	async setHeld(held: boolean): Promise<void> {
		await this.#senders.hold(held);
		await this.#tell({ call: this.call, held });
	}

	async useDevices(choice: DeviceChoice): Promise<void> {
		await this.#senders.choose(choice);
		this.#o.persist();
	}

	async hangUp(): Promise<void> {
		const { socket, left } = this.#o.ctx;
		left(this.call);
		this.release();
		await socket.requestUntilAnswered("call.leave", { call: this.call });
	}

	level(user: string): number {
		let level = 0;
		for (const mid of this.#remotes.microphoneMids(user)) {
			// Of the last packet where the sender tells its loudness, else of the last reading of the statistics.
			const [source] = this.#path.peer?.receiver(mid)?.getSynchronizationSources() ?? [];
			level = Math.max(level, source?.audioLevel ?? this.#levels.get(mid) ?? 0);
		}
		return level;
	}

	sendLossy(data: unknown): void {
		const channel = this.#path.peer?.lossy;
		// While the channel is full or not open, data is dropped: that is what it is for.
		if (channel?.readyState === "open" && channel.bufferedAmount < 16_384) channel.send(JSON.stringify(data));
	}

	onLossy(listener: (data: unknown) => void): () => void {
		return this.#lossy.on("data", listener);
	}

	// What the server says.

	/** The newest snapshot says what another tab of this user asked for, or that this leg is over. */
	applySnapshot(s: Snapshot): void {
		const mine = participant(s, this.#o.ctx.me());
		if (s.state === "ended" || !mine || !["joining", "joined", "reconnecting"].includes(mine.state))
			return this.release();
		if (mine.leg?.id === this.id) this.#confirmed = true;
		else if (this.#confirmed) return this.release();
		if (s.epoch > this.#epoch) {
			this.#epoch = s.epoch;
			this.#path.rebound(true);
		}
		if (!this.#confirmed || this.#telling > 0) return;
		ignore(this.#senders.hold(mine.held ?? false));
		if (mine.microphone !== this.microphone) ignore(this.#senders.switch("microphone", mine.microphone));
		// Another tab may turn this one's camera off, but not on.
		if (!mine.camera && this.camera) ignore(this.#senders.switch("camera", false));
	}

	slots(slots: readonly Slot[]): void {
		this.#remotes.assign(slots, (mid) => this.#path.peer?.receiver(mid)?.track);
		this.#changed();
	}

	setSpeaker(user: string | undefined): void {
		this.speaker = user;
		this.#changed();
	}

	/** After each welcome: binds the leg to the new socket. */
	async rebind(): Promise<void> {
		if (this.#binding || this.closed || !this.#unbound) return;
		this.#binding = true;
		try {
			await this.#rebind();
		} catch (err) {
			if (err instanceof Refusal) this.release();
			else if (!(err instanceof Unanswered) && !this.closed) this.#o.ctx.error(err as Error);
		} finally {
			this.#binding = false;
		}
	}

	/** Gives back devices, connection and lock. The server is told nothing. */
	release(): void {
		if (this.closed) return;
		this.#life.abort();
		this.media = "closed";
		this.#o.ctx.channel(this.call, undefined);
		this.#path.close();
		this.#unbound?.open();
		this.#o.ended(this);
	}

	/** The server granted the same leg again. */
	regrant(grant: CallLeg): void {
		this.#secret = grant.secret;
		this.#o.persist();
	}

	async #rebind(): Promise<void> {
		const { socket } = this.#o.ctx;
		const life = this.#life.signal;
		for (let tries = 0; ; tries++) {
			try {
				this.#granted(await socket.request("call.resume", this.#ref(), life));
				return;
			} catch (err) {
				if (!(err instanceof Refusal)) throw err;
				if (err.code === "leg_unknown") return await this.#reclaim(err);
				if (!err.temporary || tries === resumeRepeats) throw err;
				await sleep(err.retryMs || 500, life);
			}
		}
	}

	/** A resume whose answer was lost has changed the secret. The leg still belongs to this tab, which moves it to itself. */
	async #reclaim(err: Refusal): Promise<void> {
		const s = this.#o.ctx.snapshot(this.call);
		const mine = s && participant(s, this.#o.ctx.me());
		if (mine?.leg?.id !== this.id) throw err;
		const { socket } = this.#o.ctx;
		const grant = await socket.requestUntilAnswered("call.move", { call: this.call }, this.#life.signal);
		if (grant.leg !== this.id) throw err;
		this.#granted(grant);
	}

	#granted(grant: CallLeg): void {
		this.#secret = grant.secret;
		this.#o.persist();
		const newServer = grant.call.epoch > this.#epoch;
		this.#epoch = grant.call.epoch;
		this.#unbound?.open();
		this.#unbound = undefined;
		this.#o.ctx.apply(grant.call);
		this.#path.rebound(newServer);
	}

	async #untilBound(signal: AbortSignal): Promise<LegRef> {
		while (this.#unbound) {
			await this.#unbound.opened;
			signal.throwIfAborted();
		}
		return this.#ref();
	}

	#ref(): LegRef {
		return { call: this.call, leg: this.id, secret: this.#secret };
	}

	/** Gives a new PeerConnection everything it needs before its first offer. */
	async #equip(peer: Peer): Promise<void> {
		this.#remotes.assign([], () => undefined, true);
		this.#audio = peer.audio().map((t) => new MediaStream([t]));
		this.#channels(peer);
		await this.#senders.attach(peer);
		this.#changed();
	}

	#channels(peer: Peer): void {
		const { ctx } = this.#o;
		const rpc = new Rpc(
			(text) => peer.chat.send(text),
			(method, params) => {
				if (method === "change" || method === "call" || method === "marks") ctx.socket.tell(method, params);
				else if (!this.closed) this.#o.notification(method, params);
			},
		);
		peer.chat.onmessage = (e: MessageEvent<unknown>) => typeof e.data === "string" && rpc.receive(e.data);
		peer.chat.onopen = () => this.#path.peer === peer && ctx.channel(this.call, rpc);
		peer.chat.onclose = () => {
			rpc.close();
			if (this.#path.peer === peer) ctx.channel(this.call, undefined);
		};
		peer.lossy.onmessage = (e: MessageEvent<unknown>) => {
			let data: unknown;
			try {
				data = JSON.parse(String(e.data));
			} catch {
				return; // no page sent it with `sendLossy`
			}
			this.#lossy.emit("data", data);
		};
	}

	async #switch(source: LocalSource, on: boolean): Promise<void> {
		await this.#senders.switch(source, on);
		this.#o.persist();
		await this.#tell({ call: this.call, [source]: on });
	}

	async #captured(got: Captured): Promise<void> {
		await this.#senders.captured(got);
		this.#telling--;
		// The server knows only with what the call was started; what is sent may differ.
		const s = this.#o.ctx.snapshot(this.call);
		const mine = s && participant(s, this.#o.ctx.me());
		// A leg on hold that came back by a reload: the snapshot that says so came while the devices opened.
		if (mine?.held && this.#telling === 0) await this.#senders.hold(true);
		if (!mine || got.problem) return;
		const p = {
			...(mine.microphone !== this.microphone && { microphone: this.microphone }),
			...(mine.camera !== this.camera && { camera: this.camera }),
		};
		if (Object.keys(p).length > 0) await this.#tell({ call: this.call, ...p });
	}

	async #tell(p: CallStateSet): Promise<void> {
		if (this.closed) return;
		this.#telling++;
		try {
			await this.#o.ctx.socket.requestUntilAnswered("call.state", p, this.#life.signal);
		} catch (err) {
			if (!this.closed) throw err;
		} finally {
			this.#telling--;
		}
	}

	#stateChanged(media: LegMedia): void {
		if (this.closed || media === this.media) return;
		this.media = media;
		this.#changed();
	}

	/** The same refusal again is no news. */
	#refused(why: Refusal | undefined): void {
		if (this.closed || why?.code === this.refused?.code) return;
		this.refused = why;
		if (why) this.#o.ctx.error(why);
		this.#changed();
	}

	#statsRead(r: Reading): void {
		this.#levels = r.levels;
		if (r.frames > 0) this.#phase("first_frame");
		if (r.audioPackets > 0) this.#phase("first_audio");
		this.#path.waitsForFirstFrame =
			this.#phases.size < 2 && performance.now() - (this.#o.clicked ?? 0) < 15_000;
		if (this.#before && r.at - this.#before.at < 1000) return;
		this.stats = summary(r, this.#before);
		this.#before = r;
	}

	#phase(name: string): void {
		if (this.#phases.has(name)) return;
		this.#phases.add(name);
		if (this.#o.clicked === undefined) return;
		const ms = Math.round(performance.now() - this.#o.clicked);
		ignore(this.#o.ctx.socket.request("leg.phase", { ...this.#ref(), phase: name, ms }, this.#life.signal));
	}

	#changed(): void {
		if (!this.closed) this.#o.ctx.changed();
	}
}
