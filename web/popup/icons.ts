/** Line icons on a 24 grid, drawn for this popup. Decorative: the button they are in has the name. */
import { html, type TemplateResult } from "lit/html.js";

export const paths = {
	phone:
		"M6.6 3.6 9 3.1c.5-.1 1 .2 1.2.6l1.3 3c.2.5.1 1-.3 1.3L9.6 9.4a12 12 0 0 0 5 5l1.4-1.6c.3-.4.8-.5 1.3-.3l3 1.3c.4.2.7.7.6 1.2l-.5 2.4a2.5 2.5 0 0 1-2.5 2C10.6 19.4 4.6 13.4 4.6 6.1a2.5 2.5 0 0 1 2-2.5Z",
	video:
		"M4.5 6.5h8.5a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H4.5a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2ZM15 10.7l5-2.9c.7-.4 1.5.1 1.5.9v6.6c0 .8-.8 1.3-1.5.9l-5-2.9",
	send: "M4 12 3.3 4.7c-.1-.8.7-1.4 1.4-1l15.8 7.4c.8.4.8 1.5 0 1.8L4.7 20.3c-.7.4-1.5-.2-1.4-1L4 12Zm0 0h8",
	back: "m14.5 5-7 7 7 7",
	down: "m6 9.5 6 6 6-6",
	close: "m6 6 12 12M18 6 6 18",
	bell: "M6 10a6 6 0 0 1 12 0c0 4 1.5 6 2.5 7h-17C4.5 16 6 14 6 10ZM10 20.5a2.5 2.5 0 0 0 4 0",
	clock: "M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17ZM12 7.5V12l3 2",
	check: "m5 12.5 4.5 4.5L19 7.5",
	checks: "m1.5 12.5 4.5 4.5L15.5 7.5M11.5 15.5l1.5 1.5 9.5-9.5",
	alert: "M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17ZM12 8v4.5M12 16v.1",
	cloud: "M3 3l18 18M8.5 6.5A6 6 0 0 1 17.5 10a4 4 0 0 1 2.7 6.7M6.5 9.6A4.3 4.3 0 0 0 7 18h8.5",
	chats: "M4 5h16v11H9.5L5.5 19.5V16H4V5Z",
} as const;

export type IconName = keyof typeof paths;

export function icon(name: IconName, extra = ""): TemplateResult {
	return drawn(paths[name], extra);
}

export function drawn(path: string, extra: string): TemplateResult {
	return html`<svg class="icon ${extra}" viewBox="0 0 24 24" aria-hidden="true"><path d=${path} /></svg>`;
}
