// Draws each table of numbers over time as bars, in the page's own colours, and again when they or the width change.

for (const box of document.querySelectorAll('[data-chart]')) {
  const table = document.getElementById(box.dataset.chart);
  const columns = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent);
  const rows = [...table.tBodies[0].rows];
  const times = rows.map((row) => Date.parse(row.querySelector('time').dateTime) / 1000);
  const counts = columns.map((_, index) => rows.map((row) => Number(row.cells[index + 1].dataset.value)));
  const byDay = box.dataset.day !== undefined;
  const zone = byDay ? 'UTC' : undefined; // a day is UTC's, an hour is the reader's
  const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: zone });
  const hour = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
  const whole = new Intl.DateTimeFormat('en-GB', {
    dateStyle: 'medium',
    timeZone: zone,
    ...(byDay ? {} : { timeStyle: 'short' }),
  });
  const number = new Intl.NumberFormat('en');
  const isLong = rows.length > 48 || byDay;
  const step = (times[1] ?? times[0] + 3600) - times[0];
  let chart;

  const draw = () => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const colours = [colour('--accent'), colour('--warning'), colour('--text-quiet'), colour('--danger')];
    const axis = {
      stroke: colour('--text-quiet'),
      font: '12px ui-sans-serif, system-ui, sans-serif',
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
    };
    chart?.destroy();
    chart = new uPlot(
      {
        width: box.clientWidth,
        height: 240,
        scales: {
          x: { range: (_, min, max) => [min - step / 2, max + step / 2] }, // the bars at the ends are whole
          y: { range: (_, __, max) => [0, Math.max(4, max * 1.1)] },
        },
        axes: [
          {
            ...axis,
            size: 34,
            grid: { show: false },
            space: 70,
            values: (_, ticks) => ticks.map((tick) => (isLong ? day : hour).format(new Date(tick * 1000))),
          },
          {
            ...axis,
            size: 56,
            values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? number.format(tick) : '')),
          },
        ],
        series: [
          { label: 'From', value: (_, at) => (at === null ? '' : whole.format(new Date(at * 1000))) },
          ...columns.map((label, index) => ({
            label,
            fill: colours[index],
            stroke: colours[index],
            width: 0,
            paths: uPlot.paths.bars({ size: [0.75, 40], radius: 0.15 }),
            points: { show: false },
            value: (_, count) => (count === null ? '' : number.format(count)),
          })),
        ],
        cursor: { drag: { x: false, y: false }, points: { show: false } },
      },
      [times, ...counts],
      box,
    );
  };

  draw();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  new ResizeObserver(() => chart.setSize({ width: box.clientWidth, height: 240 })).observe(box);
}
