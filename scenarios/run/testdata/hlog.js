// Reads a histogram log with hdr-histogram-js and prints a line of JSON for each
// histogram: what it is to brunt's own reader, this is to the field's.
const {HistogramLogReader} = require("hdr-histogram-js");
const reader = new HistogramLogReader(require("fs").readFileSync(process.argv[2], "utf8"), 64);
for (let h; (h = reader.nextIntervalHistogram()) !== null; ) {
  const at = {};
  for (const p of [50, 90, 95, 99, 99.9]) at["p" + p] = h.getValueAtPercentile(p);
  console.log(JSON.stringify({tag: +h.tag, start: h.startTimeStampMsec, count: h.totalCount, max: h.maxValue, at}));
}
