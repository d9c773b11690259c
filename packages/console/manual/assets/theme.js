// Before the first paint: the theme that the console shows in this browser, else the system's.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem('ponte.theme');
  } catch {
    // Storage is switched off.
  }
  const isDark = theme === 'dark' || (theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
})();
