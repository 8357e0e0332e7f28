import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

/** No rule of axe is broken by what is on screen, motion over: in the popup, or in the whole page. */
export async function clean(page: Page, view: string, within = "carillon-popup"): Promise<void> {
	await page.evaluate(() => Promise.all(document.getAnimations().map((a) => a.finished.catch(() => {}))));
	const { violations } = await new AxeBuilder({ page }).include(within).analyze();
	const told = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`);
	expect(told, `axe on ${view}`).toEqual([]);
}
