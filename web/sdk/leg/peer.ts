/**
 * A leg's one PeerConnection. The client always offers. The transceivers and their order are fixed when it is made:
 * microphone, camera, those that receive audio, those that receive video; then two data channels. Making one contacts nobody:
 * ICE begins with the first offer.
 */
import type { Source } from "../wire.gen.ts";

export interface PeerOptions {
	config: RTCConfiguration;
	singleLayer: boolean;
	/** How many transceivers receive audio and video: by default 3 and 2. */
	audioSlots?: number;
	videoSlots?: number;
}

/** The codecs that the server forwards: Opus and RED, VP8 and baseline H.264, and RTX. With only these the offer stays small. */
function isForwarded({ mimeType, sdpFmtpLine = "" }: RTCRtpCodec): boolean {
	if (/^video\/H264$/i.test(mimeType))
		return /packetization-mode=1/.test(sdpFmtpLine) && /=42/.test(sdpFmtpLine);
	return /^(audio\/(opus|red)|video\/(VP8|rtx))$/i.test(mimeType);
}

const layers: RTCRtpEncodingParameters[] = [
	{ rid: "q", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
	{ rid: "h", scaleResolutionDownBy: 2, maxBitrate: 500_000 },
	{ rid: "f", scaleResolutionDownBy: 1, maxBitrate: 1_700_000 },
];

export class Peer {
	readonly pc: RTCPeerConnection;
	readonly chat: RTCDataChannel;
	readonly lossy: RTCDataChannel;
	readonly #microphone: RTCRtpTransceiver;
	readonly #camera: RTCRtpTransceiver;
	#prepared: Promise<RTCSessionDescriptionInit> | undefined;
	#first: Promise<string> | undefined;

	constructor(o: PeerOptions) {
		this.pc = new RTCPeerConnection(o.config);
		this.#microphone = this.pc.addTransceiver("audio", { direction: "sendonly" });
		const sendEncodings = o.singleLayer ? [{ maxBitrate: 1_700_000 }] : layers.map((l) => ({ ...l }));
		this.#camera = this.pc.addTransceiver("video", { direction: "sendonly", sendEncodings });
		for (let n = o.audioSlots ?? 3; n > 0; n--) this.pc.addTransceiver("audio", { direction: "recvonly" });
		for (let n = o.videoSlots ?? 2; n > 0; n--) this.pc.addTransceiver("video", { direction: "recvonly" });
		for (const t of this.pc.getTransceivers()) limitCodecs(t);
		this.chat = this.pc.createDataChannel("chat");
		this.lossy = this.pc.createDataChannel("lossy", { ordered: false, maxRetransmits: 0 });
	}

	/** Makes the text of the first offer ahead of time. It contacts nobody. */
	prepare(): void {
		this.#prepared = this.pc.createOffer();
		// `offer` reports its failure.
		this.#prepared.catch(() => {});
	}

	/**
	 * Makes the first offer now, to be sent with another request or while the answer to that is waited for. ICE runs from here
	 * on. Resolves with the offer's text as soon as that is known, or with nothing if it fails, which `offer` reports.
	 */
	async begin(): Promise<string | undefined> {
		this.#prepared ??= this.pc.createOffer();
		const text = this.#prepared;
		this.#first = this.#make();
		this.#first.catch(() => {});
		return (await text.catch(() => undefined))?.sdp;
	}

	/** The offer without candidates: the server's are in its answer, and it learns ours from our checks. */
	async offer(restart: boolean): Promise<string> {
		const first = this.#first;
		this.#first = undefined;
		if (restart) this.pc.restartIce();
		else if (first) return first;
		return this.#make();
	}

	async #make(): Promise<string> {
		const prepared = this.#prepared;
		this.#prepared = undefined;
		await this.pc.setLocalDescription(await (prepared ?? this.pc.createOffer()));
		return this.pc.localDescription?.sdp ?? "";
	}

	/** False when the answer has another fingerprint: another server process has the call, and a new PeerConnection is needed. */
	async accept(answer: string): Promise<boolean> {
		const before = fingerprint(this.pc.remoteDescription?.sdp);
		if (before !== undefined && before !== fingerprint(answer)) return false;
		if (this.pc.signalingState !== "have-local-offer") return true;
		await this.pc.setRemoteDescription({ type: "answer", sdp: answer });
		return true;
	}

	/** Changes what is sent, without a negotiation. */
	async send(
		source: Extract<Source, "microphone" | "camera">,
		track: MediaStreamTrack | null,
	): Promise<void> {
		const transceiver = source === "microphone" ? this.#microphone : this.#camera;
		if (transceiver.sender.track !== track) await transceiver.sender.replaceTrack(track);
	}

	receiver(mid: string): RTCRtpReceiver | undefined {
		return this.pc.getTransceivers().find((t) => t.mid === mid)?.receiver;
	}

	/** The audio tracks that are received, in order. */
	audio(): MediaStreamTrack[] {
		return this.pc
			.getTransceivers()
			.filter((t) => t !== this.#microphone && t.receiver.track.kind === "audio")
			.map((t) => t.receiver.track);
	}

	close(): void {
		this.pc.close();
	}
}

function limitCodecs(t: RTCRtpTransceiver): void {
	const codecs = RTCRtpReceiver.getCapabilities?.(t.receiver.track.kind)?.codecs.filter(isForwarded);
	// Older browsers lack the method and some refuse the list. Then the offer is longer, and nothing else.
	try {
		if (codecs && codecs.length > 0) t.setCodecPreferences?.(codecs);
	} catch {}
}

function fingerprint(sdp: string | undefined): string | undefined {
	return sdp && /^a=fingerprint:(.*)$/m.exec(sdp)?.[1]?.trim();
}
