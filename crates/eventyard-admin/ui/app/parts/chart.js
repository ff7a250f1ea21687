// Charts over the last hour, drawn by uPlot.
import { html, useEffect, useRef } from '../html.js';
import { span } from '../format.js';
import { theme } from './shell.js';

const sheet = () => {
  if (document.querySelector('#uplot-sheet')) return;
  const link = document.createElement('link');
  Object.assign(link, { id: 'uplot-sheet', rel: 'stylesheet', href: '/queues/assets/vendor/uplot.css' });
  document.head.append(link);
};

/** A colour as it is now, whatever the theme. */
function colour(name) {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const own = getComputedStyle(probe).color;
  probe.remove();
  return own;
}

/** Lines over time. `series`: `{ name, values, colour, key }`; `millis` when they are lengths of time. */
export function Chart({ title, from, step, series, millis, height = 190 }) {
  const frame = useRef();
  const plot = useRef(null);
  const begin = Date.parse(from) / 1000;
  const times = series[0].values.map((_, n) => begin + (n * step) / 1000);
  const data = [times, ...series.map(({ values }) => values)];
  const latest = useRef(data);
  latest.current = data;
  useEffect(() => {
    let gone = false;
    let observer;
    sheet();
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const draw = async () => {
      const { default: UPlot } = await import('uplot');
      if (gone) return;
      plot.current?.destroy();
      const [line, text] = [colour('--line'), colour('--soft')];
      const axis = { stroke: text, font: '11px system-ui, sans-serif', grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1, size: 4 } };
      const options = {
        width: Math.max(200, frame.current.clientWidth), height, legend: { show: false }, cursor: { points: { size: 6 }, drag: { x: false, y: false } },
        scales: { y: { range: (_, low, top) => [0, Math.max((top ?? 0) * 1.1, millis ? 10 : 5)] } },
        axes: [
          { ...axis, values: (_, ticks) => ticks.map((at) => new Date(at * 1000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })) },
          { ...axis, size: millis ? 62 : 48, values: (_, ticks) => ticks.map((tick) => (millis ? (tick === 0 ? '0' : span(tick)) : tick >= 10_000 ? `${tick / 1000}k` : tick)) },
        ],
        series: [{}, ...series.map((own) => ({ label: own.name, stroke: colour(own.colour), width: 1.6, points: { show: own.dots ?? false, size: 4 }, spanGaps: false }))],
      };
      plot.current = new UPlot(options, latest.current, frame.current);
    };
    draw();
    observer = new ResizeObserver(() => plot.current?.setSize({ width: Math.max(200, frame.current.clientWidth), height }));
    observer.observe(frame.current);
    dark.addEventListener('change', draw);
    const stop = theme.subscribe(() => plot.current && draw());
    return () => {
      gone = true;
      observer.disconnect();
      dark.removeEventListener('change', draw);
      stop();
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);
  useEffect(() => plot.current?.setData(data));
  const last = series.map(({ name, values }) => `${name} ${millis ? span(values.at(-1) ?? undefined) : values.at(-1) ?? 0}`).join(', ');
  return html`<figure>
    <div class="chart" ref=${frame} role="img" aria-label=${`${title}, minute by minute. This minute: ${last}`}></div>
    <figcaption class="legend">${series.map(({ name, key }) => html`<span class="key" key=${name}><span class=${`swatch ${key}`}></span>${name}</span>`)}</figcaption>
  </figure>`;
}
