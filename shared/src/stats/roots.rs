//! Inverting a monotone function of one positive number.

/// Logarithms of the smallest and largest number tried.
const LOG_RANGE: (f64, f64) = (-740.0, 709.0);

/// The x > 0 at which a positive, monotone curve has the value `target`. `curve(x)` gives the value and its derivative
/// by ln x. Newton's method on the logarithms, kept inside a bracket by bisection.
pub(super) fn solve_newton(target: f64, rising: bool, curve: impl Fn(f64) -> (f64, f64)) -> f64 {
    let (mut low, mut high) = LOG_RANGE;
    let mut u = 0.0_f64;
    for _ in 0..300 {
        let (value, slope) = curve(u.exp());
        let gap = (value / target).ln();
        if (gap > 0.0) == rising {
            high = u;
        } else {
            low = u;
        }
        let step = u - gap * value / slope;
        let next = if step > low && step < high { step } else { f64::midpoint(low, high) };
        if (next - u).abs() <= 2e-16 * u.abs().max(1.0) || gap == 0.0 {
            break;
        }
        u = next;
    }
    // A last step in x itself, since rounding ln x costs digits where x is large.
    let x = u.exp();
    let (value, slope) = curve(x);
    let correction = (value / target).ln() * value / slope;
    if correction.abs() < 1e-12 { x - x * correction } else { x }
}

/// The same without a derivative: the Illinois variant of the secant rule (Dowell & Jarratt 1971) on `ln` of both, from
/// a bracket `low < x < high`. `None` where the bracket does not hold the target.
pub(super) fn solve_secant(target: f64, bracket: (f64, f64), curve: impl Fn(f64) -> f64) -> Option<f64> {
    let gap = |u: f64| (curve(u.exp()) / target).ln().clamp(-700.0, 700.0);
    let (mut left, mut right) = (bracket.0.ln(), bracket.1.ln());
    let (mut at_left, mut at_right) = (gap(left), gap(right));
    if at_left * at_right > 0.0 {
        return None;
    }
    for _ in 0..200 {
        let middle = (left * at_right - right * at_left) / (at_right - at_left);
        let found = gap(middle);
        if found == 0.0 || (right - left).abs() < 1e-15 {
            return Some(middle.exp());
        }
        if found * at_right < 0.0 {
            (left, at_left) = (right, at_right);
        } else {
            at_left *= 0.5;
        }
        let moved = (middle - right).abs();
        (right, at_right) = (middle, found);
        if moved < 1e-14 * middle.abs().max(1.0) {
            break;
        }
    }
    Some(right.exp())
}
