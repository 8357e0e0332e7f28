import { expect, type Page } from "@playwright/test";

interface Received {
	framesDecoded: number;
	audioEnergy: number;
	audioPackets: number;
	relayed: boolean;
}

/** What all PeerConnections of a page have received so far. */
export async function received(page: Page): Promise<Received> {
	return page.evaluate(async () => {
		const sum = { framesDecoded: 0, audioEnergy: 0, audioPackets: 0, relayed: false };
		const made = (window as unknown as { peerConnections: RTCPeerConnection[] }).peerConnections;
		for (const pc of made) {
			if (pc.connectionState === "closed") continue;
			const stats = await pc.getStats();
			for (const s of stats.values()) {
				if (s.type === "inbound-rtp" && s.kind === "video") sum.framesDecoded += s.framesDecoded ?? 0;
				if (s.type === "inbound-rtp" && s.kind === "audio") {
					sum.audioEnergy += s.totalAudioEnergy ?? 0;
					sum.audioPackets += s.packetsReceived ?? 0;
				}
				if (s.type === "candidate-pair" && s.nominated) {
					sum.relayed ||= stats.get(s.localCandidateId)?.candidateType === "relay";
				}
			}
		}
		return sum;
	});
}

/** A picture of what the largest playing video shows, as numbers. */
async function picture(page: Page): Promise<number[] | undefined> {
	return page.evaluate(() => {
		const videos: HTMLVideoElement[] = [];
		const walk = (node: ParentNode): void => {
			for (const e of node.querySelectorAll("*")) {
				if (e instanceof HTMLVideoElement && e.videoWidth > 0) videos.push(e);
				if (e.shadowRoot) walk(e.shadowRoot);
			}
		};
		walk(document);
		const area = (v: HTMLVideoElement) => v.clientWidth * v.clientHeight;
		const video = videos.sort((a, b) => area(b) - area(a))[0];
		if (!video) return undefined;
		const canvas = document.createElement("canvas");
		canvas.width = 32;
		canvas.height = 24;
		const draw = canvas.getContext("2d");
		draw?.drawImage(video, 0, 0, 32, 24);
		return [...(draw?.getImageData(0, 0, 32, 24).data ?? [])];
	});
}

/** Waits until new frames are decoded, the picture on screen changes, and sound has energy. */
export async function seesAndHears(page: Page): Promise<void> {
	const before = await received(page);
	await expect
		.poll(async () => (await received(page)).framesDecoded, { message: "frames decoded" })
		.toBeGreaterThan(before.framesDecoded + 5);
	await hears(page);
	let last = await picture(page);
	await expect
		.poll(
			async () => {
				const now = await picture(page);
				const changed =
					now !== undefined &&
					last !== undefined &&
					now.some((value, i) => Math.abs(value - (last?.[i] ?? 0)) > 20);
				last = now;
				return changed;
			},
			{ message: "the picture changes" },
		)
		.toBe(true);
}

/** Waits until the sound that arrives has energy. */
export async function hears(page: Page): Promise<void> {
	const before = await received(page);
	await expect
		.poll(async () => (await received(page)).audioEnergy, { message: "audio energy" })
		.toBeGreaterThan(before.audioEnergy + 1e-4);
}

/** Whether this page captures camera or microphone now. */
export async function capturing(page: Page): Promise<boolean> {
	return page.evaluate(() => {
		const made = (window as unknown as { peerConnections: RTCPeerConnection[] }).peerConnections;
		return made.some(
			(pc) => pc.connectionState !== "closed" && pc.getSenders().some((s) => s.track?.readyState === "live"),
		);
	});
}
