import type { Knex } from 'knex';

/**
 * Folders, reports, evaluations and datasets.
 *
 * A reference from one item to another is of organization, environment and id together, so that none leads out of
 * the data that its owner may see. What opaque JSON says is never searched: it is kept as `json`, just as it was sent.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE folders (
      id text PRIMARY KEY CHECK (id LIKE 'fld\\_%'),
      organization_id text NOT NULL REFERENCES organizations ON DELETE CASCADE,
      environment text NOT NULL CHECK (environment IN ('live', 'test')),
      name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
      parent_id text CHECK (parent_id <> id),
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      UNIQUE (organization_id, environment, id),
      CONSTRAINT folders_parent_id_fkey FOREIGN KEY (organization_id, environment, parent_id)
        REFERENCES folders (organization_id, environment, id) ON DELETE SET NULL (parent_id)
    );
    CREATE INDEX folders_by_parent ON folders (parent_id) WHERE parent_id IS NOT NULL;

    DROP INDEX prompts_by_organization;
    ALTER TABLE prompts
      ADD UNIQUE (organization_id, environment, id),
      ADD CONSTRAINT prompts_folder_id_fkey FOREIGN KEY (organization_id, environment, folder_id)
        REFERENCES folders (organization_id, environment, id) ON DELETE SET NULL (folder_id);
    CREATE INDEX prompts_by_folder ON prompts (folder_id) WHERE folder_id IS NOT NULL;

    CREATE TABLE datasets (
      id text PRIMARY KEY CHECK (id LIKE 'dst\\_%'),
      organization_id text NOT NULL REFERENCES organizations ON DELETE CASCADE,
      environment text NOT NULL CHECK (environment IN ('live', 'test')),
      name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
      description text CHECK (char_length(description) BETWEEN 1 AND 2000),
      items json NOT NULL DEFAULT '[]' CHECK (json_typeof(items) = 'array'),
      item_count integer NOT NULL GENERATED ALWAYS AS (json_array_length(items)) STORED
        CHECK (item_count <= 1000),
      metadata jsonb NOT NULL DEFAULT '{}',
      status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'running', 'completed', 'failed')),
      result json,
      error text CHECK (char_length(error) BETWEEN 1 AND 2000),
      completed_at timestamptz,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      UNIQUE (organization_id, environment, id),
      CHECK (result IS NULL OR status = 'completed'),
      CHECK (error IS NULL OR status = 'failed'),
      CHECK ((completed_at IS NOT NULL) = (status IN ('completed', 'failed')))
    );

    CREATE TABLE reports (
      id text PRIMARY KEY CHECK (id LIKE 'rpt\\_%'),
      organization_id text NOT NULL REFERENCES organizations ON DELETE CASCADE,
      environment text NOT NULL CHECK (environment IN ('live', 'test')),
      name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
      prompt_id text,
      parameters json NOT NULL DEFAULT '{}',
      metadata jsonb NOT NULL DEFAULT '{}',
      status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'running', 'completed', 'failed')),
      result json,
      error text CHECK (char_length(error) BETWEEN 1 AND 2000),
      completed_at timestamptz,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      UNIQUE (organization_id, environment, id),
      CHECK (result IS NULL OR status = 'completed'),
      CHECK (error IS NULL OR status = 'failed'),
      CHECK ((completed_at IS NOT NULL) = (status IN ('completed', 'failed'))),
      CONSTRAINT reports_prompt_id_fkey FOREIGN KEY (organization_id, environment, prompt_id)
        REFERENCES prompts (organization_id, environment, id) ON DELETE SET NULL (prompt_id)
    );
    CREATE INDEX reports_by_prompt ON reports (prompt_id) WHERE prompt_id IS NOT NULL;

    CREATE TABLE evaluations (
      id text PRIMARY KEY CHECK (id LIKE 'evl\\_%'),
      organization_id text NOT NULL REFERENCES organizations ON DELETE CASCADE,
      environment text NOT NULL CHECK (environment IN ('live', 'test')),
      name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
      prompt_id text,
      dataset_id text,
      metadata jsonb NOT NULL DEFAULT '{}',
      status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'running', 'completed', 'failed')),
      result json,
      error text CHECK (char_length(error) BETWEEN 1 AND 2000),
      completed_at timestamptz,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      UNIQUE (organization_id, environment, id),
      CHECK (result IS NULL OR status = 'completed'),
      CHECK (error IS NULL OR status = 'failed'),
      CHECK ((completed_at IS NOT NULL) = (status IN ('completed', 'failed'))),
      CONSTRAINT evaluations_prompt_id_fkey FOREIGN KEY (organization_id, environment, prompt_id)
        REFERENCES prompts (organization_id, environment, id) ON DELETE SET NULL (prompt_id),
      CONSTRAINT evaluations_dataset_id_fkey FOREIGN KEY (organization_id, environment, dataset_id)
        REFERENCES datasets (organization_id, environment, id) ON DELETE SET NULL (dataset_id)
    );
    CREATE INDEX evaluations_by_prompt ON evaluations (prompt_id) WHERE prompt_id IS NOT NULL;
    CREATE INDEX evaluations_by_dataset ON evaluations (dataset_id) WHERE dataset_id IS NOT NULL;
  `);
}

export { down } from './forward-only.ts';
