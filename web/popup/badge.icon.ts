/** A dot on the page's icon while messages are unread. The icon belongs to the page: the last popup to ask decides. */

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
