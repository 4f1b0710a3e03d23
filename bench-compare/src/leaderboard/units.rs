//! What a bootstrap draws.

/// What is resampled: tasks one by one, or whole families.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Units {
    /// The unit of each task.
    pub(super) of_task: Vec<usize>,
    /// Tasks in each unit.
    pub(super) sizes: Vec<usize>,
}

impl Units {
    /// Every task on its own.
    pub fn tasks(count: usize) -> Self {
        Self { of_task: (0..count).collect(), sizes: vec![1; count] }
    }

    /// Tasks of one name together; units in the order of their first task.
    pub fn families<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut numbers = std::collections::HashMap::new();
        let mut units = Self { of_task: Vec::new(), sizes: Vec::new() };
        for name in names {
            let next = numbers.len();
            let unit = *numbers.entry(name).or_insert(next);
            units.of_task.push(unit);
            units.sizes.resize(units.sizes.len().max(unit + 1), 0);
            units.sizes[unit] += 1;
        }
        units
    }

    /// The mean of the values of each unit's tasks.
    pub fn means(&self, values: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut sums = vec![0.0; self.len()];
        self.of_task.iter().zip(values).for_each(|(&unit, value)| sums[unit] += value);
        sums.iter().zip(&self.sizes).map(|(sum, &size)| sum / size as f64).collect()
    }

    /// Whether every task stands on its own.
    pub fn are_tasks(&self) -> bool {
        self.len() == self.of_task.len()
    }

    /// How many units.
    pub fn len(&self) -> usize {
        self.sizes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }
}
