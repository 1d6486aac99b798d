// Runs before the first paint: the theme's class, and the sidebar's width, without a flash.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const stored = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };
  const apply = () => {
    const theme = root.dataset.theme;
    const isDark = theme === "dark" || (theme === "system" && dark.matches);
    root.classList.toggle("dark", isDark);
    document.querySelector('meta[name="theme-color"]').content = isDark ? "#020817" : "#ffffff";
  };

  root.dataset.js = "";
  // The server knows a user's choice; a visitor's lies in this browser.
  root.dataset.theme ||= stored("theme") || "light";
  if (stored("sidebar") === "collapsed") root.dataset.sidebar = "collapsed";
  apply();
  dark.addEventListener("change", apply);
  document.addEventListener("theme:change", apply);
})();
