/** The icons that only calls need, beside the others. */
import type { TemplateResult } from "lit/html.js";
import { drawn, paths } from "./icons.ts";

const all = {
	...paths,
	videoOff:
		"M3 3l18 18M9.5 6.5H13a2 2 0 0 1 2 2V12M15 15.5a2 2 0 0 1-2 2H4.5a2 2 0 0 1-2-2v-7c0-.9.6-1.7 1.4-1.9M15 10.7l5-2.9c.7-.4 1.5.1 1.5.9v6.6",
	mic: "M12 3a3 3 0 0 1 3 3v5.5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3ZM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3",
	micOff:
		"M3 3l18 18M9 9v2.5a3 3 0 0 0 4.7 2.5M15 11V6a3 3 0 0 0-5.8-1M5.5 11.5a6.5 6.5 0 0 0 10.6 5M18.3 13a6.6 6.6 0 0 0 .2-1.5M12 18v3",
	hangUp:
		"M2.8 13.1c-.4-2.4 4-5.1 9.2-5.1s9.6 2.7 9.2 5.1l-.3 1.9c-.1.7-.8 1.2-1.5 1l-3-.6c-.6-.1-1-.6-1-1.2v-2c-1-.4-2.2-.6-3.4-.6s-2.4.2-3.4.6v2c0 .6-.4 1.1-1 1.2l-3 .6c-.7.1-1.4-.3-1.5-1l-.3-1.9Z",
	sliders: "M4 7.5h9M17 7.5h3M4 16.5h3M11 16.5h9M15 5.5v4M9 14.5v4",
	larger: "M14 4h6v6M20 4l-6.5 6.5M10 20H4v-6M4 20l6.5-6.5",
	smaller: "M20 10h-6V4M14 10l6.5-6.5M4 14h6v6M10 14l-6.5 6.5",
	pause: "M8.5 5v14M15.5 5v14",
	play: "M7 4.8v14.4c0 .6.7 1 1.2.7l11.3-7.2c.5-.3.5-1 0-1.4L8.2 4.1c-.5-.3-1.2.1-1.2.7Z",
	moveHere: "M13 4h5a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-5M4 12h10M10.5 8l4 4-4 4",
	bellOff:
		"M3 3l18 18M8 5.6A6 6 0 0 1 18 10c0 2 .4 3.6 1 4.8M6.1 9A6 6 0 0 0 6 10c0 4-1.5 6-2.5 7H17M10 20.5a2.5 2.5 0 0 0 4 0",
	speaker: "M4 9.5v5h3.5l4.5 4v-13l-4.5 4H4ZM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
	signal: "M5 18.5v-3M12 18.5v-7M19 18.5v-13",
} as const;

export type IconName = keyof typeof all;

export function icon(name: IconName, extra = ""): TemplateResult {
	return drawn(all[name], extra);
}
