// The 8-connected components of a mask, in the order of their first pixels, by the runs of its rows.
class Components {
  constructor({ h, w, d }) {
    const rows = [], starts = [], ends = [], roots = [], numbers = [];
    const root = i => {
      while (roots[i] !== i) i = roots[i] = roots[roots[i]];
      return i;
    };
    for (let y = 0, previous = 0, first = 0; y < h; y++, previous = first, first = rows.length) {
      let above = previous;
      for (let x = 0, i = y * w; x < w; x++, i++) {
        if (!d[i]) continue;
        const run = rows.length, start = x;
        while (x < w && d[i]) x++, i++;
        rows.push(y);
        starts.push(start);
        ends.push(x);
        roots.push(run);
        while (above < first && ends[above] < start) above++;
        for (let k = above; k < first && starts[k] <= x; k++) {
          const a = root(k), b = root(run);
          roots[max(a, b)] = min(a, b);
        }
      }
    }
    Object.assign(this, { h, w, rows, starts, ends, owner: [], top: [], left: [], bottom: [], right: [], areas: [] });
    rows.forEach((y, run) => {
      const first = root(run);
      let k = numbers[first];
      if (k === undefined) {
        k = numbers[first] = this.top.length;
        this.top.push(y);
        this.left.push(w);
        this.right.push(0);
        this.areas.push(0);
      }
      this.owner.push(k);
      this.bottom[k] = y + 1;
      this.left[k] = min(this.left[k], starts[run]);
      this.right[k] = max(this.right[k], ends[run]);
      this.areas[k] += ends[run] - starts[run];
    });
    this.extents = this.top.map((top, k) => max(this.bottom[k] - top, this.right[k] - this.left[k]));
  }

  // Sums in each component of a value for each run, or for each pixel.
  perRun(value) {
    const sums = this.top.map(() => 0);
    this.owner.forEach((k, run) => sums[k] += value(run));
    return sums;
  }

  sums(value) {
    return this.perRun(run => {
      const row = this.rows[run] * this.w, end = row + this.ends[run];
      let sum = 0;
      for (let i = row + this.starts[run]; i < end; i++) sum += value(i);
      return sum;
    });
  }

  mask(chosen) {
    const out = plane(this.h, this.w);
    this.owner.forEach((k, run) => {
      const row = this.rows[run] * this.w;
      if (chosen[k]) out.d.fill(1, row + this.starts[run], row + this.ends[run]);
    });
    return out;
  }

  box(chosen) {
    const some = values => values.filter((_, k) => chosen[k]);
    return [
      min(...some(this.top)), min(...some(this.left)),
      max(...some(this.bottom)), max(...some(this.right)),
    ];
  }

  // Pixels of each on the border of the mask; those in two sides count twice.
  onBorder() {
    const { h, w, rows, starts, ends } = this;
    return this.perRun(run => (starts[run] === 0) + (ends[run] === w)
      + (rows[run] === 0 || rows[run] === h - 1 ? ends[run] - starts[run] : 0));
  }
}
