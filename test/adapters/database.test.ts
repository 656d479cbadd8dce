import { describeEachDatabase } from '../support/databases.ts';
import { databaseContract } from './database-contract.ts';

describeEachDatabase('the database', databaseContract);
