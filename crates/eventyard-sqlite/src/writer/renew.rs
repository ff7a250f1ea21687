//! Renewing leases.

use std::collections::BTreeMap;

use eventyard_core::{Lease, Renewal, Timestamp};

use super::Writer;

impl Writer<'_> {
    /// Makes each lease that holds now hold until `until`.
    pub(super) fn renew(
        &mut self,
        leases: &[Lease],
        until: Timestamp,
    ) -> rusqlite::Result<Vec<Renewal>> {
        let mut answers = Vec::with_capacity(leases.len());
        let mut by_row: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for lease in leases {
            let Some(seq) = self.leased(lease) else {
                answers.push(Renewal::Lost);
                continue;
            };
            answers.push(Renewal::Until(until));
            let active = self.state.active_mut(seq);
            active.until = until;
            by_row.entry(active.row).or_default().push(seq);
        }
        for (row, mut renewed) in by_row {
            self.begin()?;
            renewed.sort_unstable();
            renewed.dedup();
            if renewed.len() as i64 == self.state.row(row).held {
                self.renew_lease(row, until)?;
            } else {
                self.split_row(row)?;
            }
        }
        Ok(answers)
    }

    /// Gives each lease of a row a row of its own: they no longer end together.
    fn split_row(&mut self, number: i64) -> rusqlite::Result<()> {
        let row = self.state.row(number);
        self.delete_lease(number)?;
        self.state.set_row(number, None);
        for seq in row.seq..row.seq + row.n {
            if self.state.active(seq).is_some_and(|active| active.row == number) {
                let active = self.state.active_mut(seq);
                active.row = active.fence;
                let active = active.clone();
                self.insert_lease(&active, 1)?;
            }
        }
        Ok(())
    }
}
