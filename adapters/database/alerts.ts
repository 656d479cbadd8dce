import type { Environment } from '../../config/environments.ts';
import type { Alert, AlertStore } from '../../src/alerts/alert.ts';
import { clearSome } from './clear-some.ts';
import type { Database } from './database.ts';

export type AlertRow = {
  id: string;
  organization_id: string;
  environment: Environment;
  kind: string;
  subject: string;
  subject_name: string | null;
  period: string;
  data: object;
  created_at: Date;
};

/** A credential of a person with an app (`usr_…:app_…`) is called by the app. */
export const NAMED_ALERTS = `
  SELECT alerts.*, coalesce(api_keys.name, apps.name) AS subject_name
  FROM alerts
  LEFT JOIN api_keys ON api_keys.id = alerts.subject
  LEFT JOIN apps ON apps.id = substring(alerts.subject FROM 'app_[0-9a-z]+$')`;

/** What owners were alerted to. */
export function createAlertStore(database: Database): AlertStore {
  return {
    insert: async (alert) => {
      const { rows } = await database.sql().raw<{ rows: object[] }>(
        `INSERT INTO alerts (id, organization_id, environment, kind, subject, period, data, created_at)
         SELECT :id, o.id, :environment, :kind, :subject, :period, :data::jsonb, :createdAt::timestamptz
         FROM organizations o WHERE o.id = :organizationId FOR KEY SHARE
         ON CONFLICT (organization_id, environment, kind, subject, period) DO NOTHING RETURNING id`,
        {
          id: alert.id,
          organizationId: alert.organizationId,
          environment: alert.environment,
          kind: alert.kind,
          subject: alert.subject,
          period: alert.period,
          data: JSON.stringify(alert.data),
          createdAt: alert.createdAt.toISOString(),
        },
      );
      return rows.length === 1;
    },
    wasLeakTold: async (period) => {
      const row = await database.sql()('alerts').where({ kind: 'leaked', period }).first<object>('id');
      return row !== undefined;
    },
    list: async ({ organizationId, environments }, { limit, after }) => {
      const { rows } = await database.sql().raw<{ rows: AlertRow[] }>(
        `${NAMED_ALERTS} WHERE alerts.organization_id = :organizationId AND alerts.environment = ANY (:environments::text[])
           AND (:after::text IS NULL OR alerts.id < :after)
         ORDER BY alerts.id DESC LIMIT :limit`,
        { organizationId, environments: [...environments], after: after ?? null, limit },
      );
      return rows.map(toAlert);
    },
    forget: (days, most) =>
      clearSome(
        database,
        {
          table: 'alerts',
          key: 'id',
          condition: "created_at < now() - :days * interval '1 day'",
          bindings: { days },
        },
        most,
      ),
  };
}

export const toAlert = (row: AlertRow): Alert =>
  ({
    id: row.id,
    organizationId: row.organization_id,
    environment: row.environment,
    kind: row.kind,
    subject: row.subject,
    subjectName: row.subject_name ?? undefined,
    period: row.period,
    data: row.data,
    createdAt: row.created_at,
  }) as Alert;
