import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Refusal } from "../sdk/errors.ts";
import type { Client, Preview } from "../sdk/index.ts";
import { LinkPreview } from "./linkpreview.ts";

const link = "https://shop.example/blue";
const card: Preview = { url: link, site: "shop.example", title: "Blue" };

/** A composer whose server answers with a card for each link, or refuses. */
function composer(linkPreviews = true) {
	const asked: string[] = [];
	const server = { refuses: undefined as Refusal | undefined };
	const client = {
		messages: {
			preview: async (url: string) => {
				asked.push(url);
				if (server.refuses) throw server.refuses;
				return url.includes("nothing") ? undefined : { ...card, url };
			},
		},
	} as unknown as Client;
	const changed = vi.fn();
	return { preview: new LinkPreview({ client, linkPreviews, changed }), asked, changed, server };
}
const pause = () => vi.advanceTimersByTimeAsync(600);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a link is looked at when one has stopped typing it, once", async () => {
	const { preview, asked, changed } = composer();
	for (let n = "https://s".length; n <= link.length; n++) preview.wrote(link.slice(0, n));
	await pause();
	expect(asked).toEqual([link]);
	expect(changed).toHaveBeenCalledOnce();
	const text = `Look: ${link}, and https://other.example`;
	preview.wrote(text);
	await pause();
	expect(asked).toEqual([link]);
	expect(preview.of(text)?.title).toBe("Blue");
	expect(preview.of("without a link")).toBeUndefined();
});

test("what is not wanted any more when it comes is not shown", async () => {
	const { preview, asked, changed } = composer();
	preview.wrote(link);
	preview.wrote("never mind");
	await pause();
	expect(asked).toEqual([]);
	expect(changed).not.toHaveBeenCalled();
	preview.wrote("https://shop.example/nothing");
	await pause();
	expect(preview.of("https://shop.example/nothing")).toBeUndefined();
});

test("a preview that was taken away stays away for this text, and the next message has one again", async () => {
	const { preview } = composer();
	preview.wrote(link);
	await pause();
	expect(preview.wanted(link)).toBe(true);
	preview.takeAway();
	expect(preview.of(link)).toBeUndefined();
	expect(preview.wanted(`${link} indeed`)).toBe(false);
	expect(preview.wanted("https://other.example")).toBe(true);
	preview.sent();
	preview.wrote(link);
	await pause();
	expect(preview.wanted(link)).toBe(true);
	expect(preview.of(link)?.title).toBe("Blue");
});

test("a server without previews is asked once, one that is busy again", async () => {
	const { preview, asked, server } = composer();
	server.refuses = new Refusal("rate_limited", "Wait.", 1000);
	preview.wrote(link);
	await pause();
	server.refuses = new Refusal("not_allowed", "None here.");
	preview.wrote("https://second.example");
	await pause();
	preview.wrote("https://third.example");
	await pause();
	expect(asked).toEqual([link, "https://second.example/"]);
});

test("a site that wants none has none asked for, and none under what is sent", async () => {
	const { preview, asked } = composer(false);
	preview.wrote(link);
	await pause();
	expect(asked).toEqual([]);
	expect(preview.wanted(link)).toBe(false);
});
