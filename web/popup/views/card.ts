/** What a link leads to: a picture, whose place is kept while it comes, and a few lines. All of it is one link. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Preview } from "../../sdk/index.ts";

/** In CSS pixels: a narrower picture is an icon, which stands beside the text. */
const iconMost = 200;

/** `server` serves the picture: nobody else is asked for anything. */
export function card(
	{ url, site, title, description, picture }: Preview,
	server: string,
): TemplateResult | typeof nothing {
	if (!/^https?:\/\//i.test(url)) return nothing;
	const small = picture && picture.width < iconMost;
	return html`<a class="card ${small ? "small" : ""}" href=${url} target="_blank" rel="noopener noreferrer nofollow ugc">
		${
			picture
				? html`<img
						src=${`${server}/previews/${encodeURIComponent(picture.key)}.jpg`}
						width=${picture.width}
						height=${picture.height}
						alt=""
						decoding="async"
					/>`
				: nothing
		}
		<span class="about">
			${title ? html`<strong dir="auto">${title}</strong>` : nothing}
			${description ? html`<span dir="auto">${description}</span>` : nothing}
			<bdi class="site">${site}</bdi>
		</span>
	</a>`;
}
