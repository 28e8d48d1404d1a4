// A logit so many steps below the largest weighs so much; accepted is what adds up to no more than the limit.
const weights = @weights@;

function accepts(raw) {
  const most = Math.max(...raw);
  return raw.reduce((sum, logit) => sum + weights[most - logit], 0) <= @limit@;
}
