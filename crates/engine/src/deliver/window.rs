//! How many attempts at one receiver may be in flight: few at first, more with every answer, fewer with every
//! attempt that was not answered. A receiver that hangs soon takes next to nothing of what all share.

const FIRST: usize = 8;

pub(super) struct Window {
    size: usize,
    most: usize,
}

impl Window {
    pub(super) fn new(most: usize) -> Self {
        Self { size: FIRST.min(most), most }
    }

    /// How many may begin now. 0 while there is room for a few only: claims of a few cost a commit each.
    pub(super) fn room(&self, in_flight: usize) -> usize {
        let room = self.size.saturating_sub(in_flight);
        if room * 4 < self.size { 0 } else { room }
    }

    /// An attempt ended, answered or not.
    pub(super) fn moved(&mut self, answered: bool) {
        self.size = if answered { self.size + 1 } else { self.size / 2 }.clamp(1, self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_widen_it_up_to_the_most() {
        let mut window = Window::new(64);
        assert_eq!(window.room(0), 8);
        (0..100).for_each(|_| window.moved(true));
        assert_eq!((window.room(0), window.room(48), window.room(49), window.room(64)), (64, 16, 0, 0));
    }

    #[test]
    fn silence_narrows_it_to_one_and_an_answer_widens_it_again() {
        let mut window = Window::new(64);
        (0..8).for_each(|_| window.moved(false));
        assert_eq!((window.room(0), window.room(1), window.room(7)), (1, 0, 0));
        window.moved(true);
        assert_eq!(window.room(0), 2);
        assert_eq!(Window::new(3).room(0), 3, "never more than the most");
    }
}
