/** Shows in the page's title and icon how many messages are unread. Both belong to the page: the last popup to ask decides. */

/** "(3) Title", and the bare title again at zero. Keeps what the site changes in between. */
export function titleWithCount(title: string, unread: number): string {
	const bare = title.replace(/^\(\d+\+?\) /, "");
	return unread > 0 ? `(${unread > 99 ? "99+" : unread}) ${bare}` : bare;
}

/** The page's own icon, while the one with a dot is shown. */
let original: string | undefined;

/** Draws a dot on the page's own icon; without canvas or icon the title is all there is. */
export async function setIconBadge(on: boolean): Promise<void> {
	const link = document.querySelector<HTMLLinkElement>('link[rel~="icon"]');
	if (!link) return;
	if (!on) {
		if (original !== undefined) link.href = original;
		original = undefined;
		return;
	}
	if (original !== undefined) return;
	const from = link.href;
	original = from;
	try {
		const url = await withDot(from);
		if (original === from) link.href = url; // still wanted
	} catch {
		// The icon is not ours to read (another origin) or cannot be drawn.
	}
}

async function withDot(href: string): Promise<string> {
	const size = 64;
	const image = new Image(size, size);
	image.crossOrigin = "anonymous";
	image.src = href;
	await image.decode();
	const canvas = document.createElement("canvas");
	canvas.width = canvas.height = size;
	const draw = canvas.getContext("2d");
	if (!draw) throw new Error("no canvas");
	draw.drawImage(image, 0, 0, size, size);
	draw.beginPath();
	draw.arc(size - 17, 17, 17, 0, 2 * Math.PI);
	draw.fillStyle = "#fff";
	draw.fill();
	draw.beginPath();
	draw.arc(size - 17, 17, 14, 0, 2 * Math.PI);
	draw.fillStyle = "#d92d20";
	draw.fill();
	return canvas.toDataURL("image/png");
}

/** Shows in the title who calls, in turn with the title itself, until the signal aborts. */
export function flashTitle(text: string, signal: AbortSignal): void {
	let shown: string | undefined;
	const turn = () => {
		if (shown !== undefined && document.title === text) document.title = shown;
		else {
			shown = document.title;
			document.title = text;
		}
	};
	turn();
	const timer = setInterval(turn, 1000);
	signal.addEventListener("abort", () => {
		clearInterval(timer);
		if (shown !== undefined && document.title === text) document.title = shown;
	});
}
