import type { Page } from 'playwright-core';

/**
 * Runs in the page: what is wrong with its layout, each as one line. Text that is cut on purpose
 * (an ellipsis, a list that scrolls) is right; text that leaves its place, covers other text, or
 * widens the page is not.
 */
const FAULTS = `(() => {
  const MARGIN = 80;
  const faults = [];
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) {
    const wide = [...document.querySelectorAll('main *')]
      .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
      .slice(-1)
      .map((one) => one.outerHTML.slice(0, 120));
    faults.push('the page is ' + root.scrollWidth + ' px wide: ' + wide);
  }
  const last = document.querySelector('main')?.getBoundingClientRect().bottom ?? 0;
  if (root.scrollHeight > innerHeight && root.scrollHeight > last + scrollY + MARGIN) {
    faults.push('the page scrolls ' + Math.round(root.scrollHeight - last - scrollY) + ' px below its end');
  }
  // What is seen of a box, given everything around it that cuts it off.
  const seen = (rect, element) => {
    let { left, top, right, bottom } = rect;
    for (let one = element; one && one !== document.body; one = one.parentElement) {
      const style = getComputedStyle(one);
      if (style.visibility === 'hidden' || style.opacity === '0') return undefined;
      const box = one.getBoundingClientRect();
      if (style.overflowX !== 'visible' || style.clipPath !== 'none') {
        left = Math.max(left, box.left);
        right = Math.min(right, box.right);
        top = Math.max(top, box.top);
        bottom = Math.min(bottom, box.bottom);
      }
      if (style.position === 'fixed' || style.position === 'sticky') return undefined;
    }
    return right - left > 1 && bottom - top > 1 ? { left, top, right, bottom } : undefined;
  };
  const walker = document.createTreeWalker(document.querySelector('main') ?? document.body, NodeFilter.SHOW_TEXT);
  const boxes = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent.trim();
    const parent = node.parentElement;
    if (!text || parent.closest('svg, option, select, script, style, .u-wrap, .sr-only')) continue;
    if (!parent.checkVisibility({ contentVisibilityAuto: true, opacityProperty: true, visibilityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const rect of range.getClientRects()) {
      const box = seen(rect, parent);
      if (box) boxes.push({ ...box, text: text.slice(0, 30), node });
    }
  }
  boxes.sort((a, b) => a.top - b.top);
  const TOUCH = 3;
  for (let i = 0; i < boxes.length; i += 1) {
    const a = boxes[i];
    for (let j = i + 1; j < boxes.length && boxes[j].top < a.bottom - TOUCH; j += 1) {
      const b = boxes[j];
      if (a.node === b.node) continue;
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > TOUCH && down > TOUCH) faults.push('"' + a.text + '" and "' + b.text + '" cover each other');
    }
  }
  return faults.slice(0, 8);
})()`;

export const layoutFaults = (page: Page): Promise<string[]> => page.evaluate(FAULTS);
