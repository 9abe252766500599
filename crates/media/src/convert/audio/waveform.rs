//! The bars that a phone draws for a voice message.

/// Number of bars.
pub const BARS: usize = 64;

/// Heights of the bars, 0 to 100; the loudest is 100, silence is all zeros.
pub type Waveform = [u8; BARS];

/// Loudness over time, a hundred numbers a second.
pub(super) struct Envelope {
    per_step: usize,
    steps: Vec<f32>,
    sum: f32,
    count: usize,
}

impl Envelope {
    pub(super) fn new(rate: u32) -> Self {
        Self { per_step: (rate as usize / 100).max(1), steps: Vec::new(), sum: 0.0, count: 0 }
    }

    pub(super) fn push(&mut self, samples: &[f32]) {
        for sample in samples {
            self.sum += sample.abs();
            self.count += 1;
            if self.count == self.per_step {
                self.step();
            }
        }
    }

    fn step(&mut self) {
        let mean = self.sum / self.count as f32;
        // Broken floats must not spread to the other bars.
        self.steps.push(if mean.is_finite() { mean } else { 0.0 });
        self.sum = 0.0;
        self.count = 0;
    }

    pub(super) fn finish(mut self) -> Waveform {
        if self.count > 0 {
            self.step();
        }
        let bars: Vec<f32> = (0..BARS).map(|bar| self.bar(bar)).collect();
        let loudest = bars.iter().copied().fold(0.0, f32::max);
        let mut waveform = [0; BARS];
        if loudest > 0.0 {
            for (height, bar) in waveform.iter_mut().zip(bars) {
                *height = (bar / loudest * 100.0).round() as u8;
            }
        }
        waveform
    }

    /// The mean of a bar's share of the steps; with few steps, several bars show the same one.
    fn bar(&self, bar: usize) -> f32 {
        let steps = self.steps.len();
        let from = bar * steps / BARS;
        let to = ((bar + 1) * steps / BARS).max(from + 1).min(steps);
        let share = self.steps.get(from..to).unwrap_or_default();
        if share.is_empty() { 0.0 } else { share.iter().sum::<f32>() / share.len() as f32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(samples: impl Iterator<Item = f32>) -> Waveform {
        let mut envelope = Envelope::new(100);
        envelope.push(&samples.collect::<Vec<_>>());
        envelope.finish()
    }

    #[test]
    fn bars_follow_the_loudness_and_the_loudest_is_a_hundred() {
        let rising = drawn((0..640).map(|i| i as f32 / 1280.0 * if i % 2 == 0 { 1.0 } else { -1.0 }));
        assert!(rising.is_sorted() && rising[0] <= 1);
        assert_eq!((rising[31], rising[63]), (50, 100));
        let half_silent = drawn((0..640).map(|i| if i < 320 { 0.0 } else { 0.001 }));
        assert_eq!((half_silent[31], half_silent[32]), (0, 100));
    }

    #[test]
    fn odd_sounds_are_drawn_too() {
        assert_eq!(drawn(std::iter::empty()), [0; BARS]);
        assert_eq!(drawn([0.0; 500].into_iter()), [0; BARS]);
        assert_eq!(drawn([0.5].into_iter()), [100; BARS]);
        let broken = drawn([1.0, f32::NAN, f32::INFINITY, 0.5].into_iter());
        assert_eq!((broken[0], broken[20], broken[40], broken[63]), (100, 0, 0, 50));
    }
}
