/**
 * The streams of the other participants: which transceiver receives whom. A stream is made anew when its transceiver
 * receives somebody else.
 */
import type { Remote } from "../types.calls.ts";
import type { Slot, Source } from "../wire.gen.ts";

const field: Record<Source, "audio" | "camera" | "screen"> = {
	microphone: "audio",
	camera: "camera",
	screen: "screen",
};

export class Remotes {
	#slots: readonly Slot[] = [];
	/** By mid, participant and source: the stream, for as long as that transceiver receives that source. */
	#streams = new Map<string, MediaStream>();
	#remotes: ReadonlyMap<string, Remote> = new Map();

	get remotes(): ReadonlyMap<string, Remote> {
		return this.#remotes;
	}

	get slots(): readonly Slot[] {
		return this.#slots;
	}

	/**
	 * `track` finds the track of a transceiver. It has none before its connection is described: what is assigned earlier is
	 * to be assigned again then. With `newPeer` the tracks are those of a new connection, so all streams are new.
	 */
	assign(
		slots: readonly Slot[],
		track: (mid: string) => MediaStreamTrack | undefined,
		newPeer = false,
	): void {
		const streams = new Map<string, MediaStream>();
		const remotes = new Map<string, { -readonly [K in keyof Remote]: Remote[K] }>();
		for (const { mid, participant, source } of slots) {
			if (!participant || !source) continue;
			const key = `${mid} ${source} ${participant}`;
			const t = track(mid);
			if (!t) continue;
			const stream = (!newPeer && this.#streams.get(key)) || new MediaStream([t]);
			streams.set(key, stream);
			const remote = remotes.get(participant) ?? { user: participant };
			remote[field[source]] = stream;
			remotes.set(participant, remote);
		}
		this.#slots = slots;
		this.#streams = streams;
		this.#remotes = remotes;
	}

	/** The mids of the transceivers that receive a user's microphone. */
	microphoneMids(user: string): string[] {
		return this.#slots.filter((s) => s.participant === user && s.source === "microphone").map((s) => s.mid);
	}
}
