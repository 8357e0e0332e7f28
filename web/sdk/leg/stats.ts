/** The few figures of `getStats` that matter here. Rates come from two readings. */
import type { MediaStats } from "../types.calls.ts";

/** One reading: sums since the beginning of the connection. */
export interface Reading {
	readonly at: number;
	readonly sent: number;
	readonly received: number;
	/**
	 * Grows with everything that arrives. It falls when ICE is restarted, because the counters of the old candidate
	 * pair are gone then: only growth is a sign of life.
	 */
	readonly arrived: number;
	readonly packets: number;
	readonly lost: number;
	readonly frames: number;
	readonly audioPackets: number;
	readonly rttMs: number | undefined;
	readonly level: number;
	readonly path: MediaStats["path"];
	readonly channelMessages: number;
	/** Loudness by mid, 0 to 1. */
	readonly levels: ReadonlyMap<string, number>;
}

type Stat = Record<string, unknown> & { type: string; id: string };

const number = (v: unknown): number => (typeof v === "number" ? v : 0);

export function read(report: Iterable<[string, unknown]>, at: number): Reading {
	const byId = new Map(report as Iterable<[string, Stat]>);
	let arrived = 0;
	let packets = 0;
	let lost = 0;
	let frames = 0;
	let audioPackets = 0;
	let level = 0;
	let channelMessages = 0;
	const levels = new Map<string, number>();
	let transport: Stat | undefined;
	let nominated: Stat | undefined;
	for (const s of byId.values()) {
		switch (s.type) {
			case "transport":
				transport = s;
				arrived += number(s.packetsReceived) + number(s.bytesReceived);
				break;
			case "candidate-pair":
				// The bytes are media, RTCP and data; the answers to STUN checks are counted beside them.
				arrived += number(s.bytesReceived) + number(s.responsesReceived);
				if (s.selected === true || (s.nominated === true && s.state === "succeeded")) nominated ??= s;
				break;
			case "inbound-rtp":
				arrived += number(s.bytesReceived);
				packets += number(s.packetsReceived);
				lost += number(s.packetsLost);
				if (s.kind === "video") frames += number(s.framesDecoded);
				else {
					audioPackets += number(s.packetsReceived);
					levels.set(String(s.mid), number(s.audioLevel));
				}
				break;
			case "media-source":
				if (s.kind === "audio") level = Math.max(level, number(s.audioLevel));
				break;
			case "data-channel":
				if (s.label === "chat") channelMessages += number(s.messagesSent);
				break;
		}
	}
	const pair = byId.get(String(transport?.selectedCandidatePairId)) ?? nominated;
	// Firefox 153 has a transport in its report, but no counters in it: its candidate pair counts.
	const sent = number(transport?.bytesSent ?? pair?.bytesSent);
	const received = number(transport?.bytesReceived ?? pair?.bytesReceived);
	const rtt = pair?.currentRoundTripTime;
	const rttMs = typeof rtt === "number" ? rtt * 1000 : undefined;
	const path = pathOf(byId.get(String(pair?.localCandidateId)));
	const sums = { sent, received, arrived, packets, lost, frames, audioPackets };
	return { at, ...sums, rttMs, level, levels, path, channelMessages };
}

function pathOf(local: Stat | undefined): MediaStats["path"] {
	if (!local) return "unknown";
	if (local.candidateType === "relay") {
		const by = local.relayProtocol;
		return by === "tls" ? "relay_tls" : by === "tcp" ? "relay_tcp" : "relay_udp";
	}
	return local.protocol === "tcp" ? "tcp" : "udp";
}

export function summary(now: Reading, before: Reading | undefined): MediaStats {
	const seconds = before ? Math.max(0.001, (now.at - before.at) / 1000) : 1;
	const rate = (key: "sent" | "received" | "frames") =>
		before ? Math.max(0, now[key] - before[key]) / seconds : 0;
	const lost = before ? Math.max(0, now.lost - before.lost) : 0;
	const packets = before ? Math.max(0, now.packets - before.packets) : 0;
	return {
		rttMs: now.rttMs,
		sendKbps: Math.round((rate("sent") * 8) / 1000),
		receiveKbps: Math.round((rate("received") * 8) / 1000),
		loss: lost + packets > 0 ? lost / (lost + packets) : 0,
		framesDecoded: now.frames,
		framesPerSecond: Math.round(rate("frames")),
		microphoneLevel: now.level,
		path: now.path,
		channelMessagesSent: now.channelMessages,
	};
}
