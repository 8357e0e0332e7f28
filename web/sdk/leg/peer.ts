/**
 * A leg's one PeerConnection. The client always offers; the lines and their order are fixed when it is made: microphone,
 * camera, what is heard, what is seen, two data channels. Making one contacts nobody: ICE begins with the first offer.
 */
import type { Source } from "../wire.gen.ts";

export interface PeerOptions {
	config: RTCConfiguration;
	singleLayer: boolean;
	/** Lines to hear and to see: default 3 and 2. */
	audioSlots?: number;
	videoSlots?: number;
}

/** Only what the server forwards, so that the offer stays small: Opus and RED, VP8 and baseline H.264, and repair. */
function wanted({ mimeType, sdpFmtpLine = "" }: RTCRtpCodec): boolean {
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
		for (const t of this.pc.getTransceivers()) narrow(t);
		this.chat = this.pc.createDataChannel("chat");
		this.lossy = this.pc.createDataChannel("lossy", { ordered: false, maxRetransmits: 0 });
	}

	/** Makes the text of the first offer ahead of time. It contacts nobody. */
	prepare(): void {
		this.#prepared = this.pc.createOffer();
		// Whoever needs it hears of its failure.
		this.#prepared.catch(() => {});
	}

	/** Makes the first offer now, while something else is waited for. From here on ICE runs. */
	begin(): void {
		this.#first = this.#make();
		// Whoever asks for it hears of its failure.
		this.#first.catch(() => {});
	}

	/** The offer as it is at once, without candidates: the server's are in its answer, and it learns ours from our checks. */
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

	/** False when the server answers as someone else: its media started anew, and so must ours. */
	async accept(answer: string): Promise<boolean> {
		const before = fingerprint(this.pc.remoteDescription?.sdp);
		if (before !== undefined && before !== fingerprint(answer)) return false;
		if (this.pc.signalingState !== "have-local-offer") return true;
		await this.pc.setRemoteDescription({ type: "answer", sdp: answer });
		return true;
	}

	/** No renegotiation: the line stays, the track changes. */
	async send(
		source: Extract<Source, "microphone" | "camera">,
		track: MediaStreamTrack | null,
	): Promise<void> {
		const line = source === "microphone" ? this.#microphone : this.#camera;
		if (line.sender.track !== track) await line.sender.replaceTrack(track);
	}

	receiver(mid: string): RTCRtpReceiver | undefined {
		return this.pc.getTransceivers().find((t) => t.mid === mid)?.receiver;
	}

	/** Audio lines that are heard, in order. */
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

function narrow(t: RTCRtpTransceiver): void {
	const codecs = RTCRtpReceiver.getCapabilities?.(t.receiver.track.kind)?.codecs.filter(wanted);
	// Older browsers lack the method, odd ones refuse the list: a longer offer is all that happens.
	try {
		if (codecs && codecs.length > 0) t.setCodecPreferences?.(codecs);
	} catch {}
}

function fingerprint(sdp: string | undefined): string | undefined {
	return sdp && /^a=fingerprint:(.*)$/m.exec(sdp)?.[1]?.trim();
}
