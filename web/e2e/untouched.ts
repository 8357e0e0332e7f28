import type { Page } from "@playwright/test";
import type { InPage, Scripted } from "./media.ts";

/**
 * A page of Chromium that is looked at without being used. Whatever Playwright runs in a page counts as a click there, after
 * which the browser lets it sound; so a test of a page that nobody has clicked yet looks through this and nothing else.
 */
export async function untouched(page: Page): Promise<Scripted> {
	const devtools = await page.context().newCDPSession(page);
	return {
		async evaluate<Result, Argument>(inPage: InPage<Result, Argument>, argument?: Argument): Promise<Result> {
			const { result, exceptionDetails } = await devtools.send("Runtime.evaluate", {
				expression: `(${inPage})(${JSON.stringify(argument)})`,
				awaitPromise: true,
				returnByValue: true,
				userGesture: false,
			});
			if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
			return result.value as Result;
		},
		async bringToFront() {
			await devtools.send("Page.bringToFront");
		},
	};
}

/** Whether a button of this text is on screen in the popup. */
export function offersButton(page: Scripted, text: string): Promise<boolean> {
	return page.evaluate((wanted) => {
		const root = document.querySelector("carillon-popup")?.shadowRoot;
		return [...(root?.querySelectorAll("button") ?? [])].some((button) => button.innerText.trim() === wanted);
	}, text);
}

/** Whether anyone has clicked or typed in this page, as the browser sees it. */
export function used(page: Scripted): Promise<boolean> {
	return page.evaluate(() => navigator.userActivation.hasBeenActive);
}
